"""One document of a run: what was asked, what is right, and what every level answered."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.records.facts import CellFacts, DocumentsFacts
from warehouse.records.run_state import RunHistory
from warehouse.store import confine, db, journal, kept_documents, run_folders
from warehouse.store.answers import Record, ask

_OF_A_BUNDLE = {"documents": "kept_document", "answers": "kept_answers"}
_MEND = "put it back from a copy of the run's folder, or run it anew"


@dataclass(frozen=True, slots=True)
class Score:
    """What one metric says of an answer. `response` is JSON: the choice it took, or the text that a filter left."""

    metric: str
    filter: str
    value: float | None
    response: str | None


@dataclass(frozen=True, slots=True)
class LevelAnswers:
    """What one level answered, before any filter; all empty where a run was made before answers were kept.

    `log_likelihoods` are in the order of the document's choices, `greedy` says of each whether nothing else was
    likelier; `texts` are what was generated.
    """

    level: str
    log_likelihoods: tuple[float, ...]
    greedy: tuple[bool, ...]
    texts: tuple[str, ...]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a run asked it, with its texts cut where they were long (`warehouse.excerpt`).

    `prompts` has one for all choices or one for each. `target` is the gold answer: a choice's index, a text, or
    several; None where the prompt itself is scored. `doc_hash` is lm-eval's, the same wherever the document is asked.
    `levels` are in the order in which the run came to them. Texts are as data set and model have them: `warehouse.text`
    before a terminal.
    """

    run_id: str
    task: str
    doc_id: int
    doc_hash: str
    prompts: tuple[str, ...]
    choices: tuple[str, ...]
    target: Any
    levels: tuple[LevelAnswers, ...]


def read_document(
    database: Path, run_id: str, task: str, doc_id: int, *, levels: Sequence[str] | None = None
) -> Document:
    """Read one document from the files of its run, with the answers of the levels named, else of all.

    Raises:
        UserError: run, task, document or level is not there, or a file of them is missing or damaged.
    """
    return _read(database, run_id, task, doc_id, levels)[0]


def read_documents(
    database: Path, run_id: str, task: str, *, levels: Sequence[str] | None = None
) -> tuple[Document, ...]:
    """All documents of a task, as `read_document` reads one."""
    return _read(database, run_id, task, None, levels)


def _read(
    database: Path, run_id: str, task: str, doc_id: int | None, levels: Sequence[str] | None
) -> tuple[Document, ...]:
    folder = run_folders.root(database) / run_id
    if not (folder / "journal.jsonl").exists() and kept_documents.folder_of(database, run_id).is_dir():
        return _of_a_bundle(database, run_id, task, doc_id, levels)
    history = _history(folder)
    cells = _cells(history, run_id, task, levels)
    if task not in history.documents:
        raise UserError(_kept_none(run_id, task))
    files = [_file(folder, history.documents[task]), *(_file(folder, cell) for cell in cells)]
    questions, *answers = _rows(files, doc_id)
    if not questions and doc_id is not None:
        raise UserError(
            f"Run {run_id} asked no document {doc_id} of {task}: it asked {history.documents[task].count:,}."
        )
    by_document = [_by_document(rows) for rows in answers]

    def given(cell: CellFacts, rows: list[Record]) -> LevelAnswers:
        return _answers(cell.level, next((row for row in rows if row.get("texts") is not None), {}), rows)

    return tuple(
        _document(
            run_id, task, row,
            [given(cell, rows.get(row["doc_id"], [])) for cell, rows in zip(cells, by_document, strict=True)],
        )
        for row in questions
    )  # fmt: skip


def _by_document(rows: list[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for row in rows:
        found.setdefault(row["doc_id"], []).append(row)
    return found


def read_texts(database: Path, run_id: str, tasks: Sequence[str]) -> dict[tuple[str, int], str]:
    """What every document of these tasks asks, prompts and choices in one text, by task and document.

    Raises:
        UserError: the run kept no documents of a task, or a file of them is missing or damaged.
    """
    folder = run_folders.root(database) / run_id
    if not (folder / "journal.jsonl").exists() and kept_documents.folder_of(database, run_id).is_dir():
        file = kept_documents.find(database, run_id, "documents")
        asked = [] if file is None else [(file, "kept_texts", {"tasks": list(tasks)})]
    else:
        kept = _history(folder).documents
        if missing := next((task for task in tasks if task not in kept), None):
            raise UserError(_kept_none(run_id, missing))
        asked = [(_file(folder, kept[task]), "document_texts", {"task": task}) for task in tasks]
    answers = _ask_each(asked) if asked else []
    return {(row["task"], row["doc_id"]): row["text"] for rows in answers for row in rows}


def _kept_none(run_id: str, task: str) -> str:
    return (
        f"Run {run_id} was made before documents were kept, or could not keep those of {task}: run it anew to read "
        "them here."
    )


def _of_a_bundle(
    database: Path, run_id: str, task: str, doc_id: int | None, levels: Sequence[str] | None
) -> tuple[Document, ...]:
    """From what a bundle brought; scores are the database's."""
    files = {kind: kept_documents.find(database, run_id, kind) for kind in ("documents", "answers")}
    parameters = {"task": task, "doc_id": doc_id}
    rows = {
        kind: [] if file is None else _ask_each([(file, _OF_A_BUNDLE[kind], parameters)])[0]
        for kind, file in files.items()
    }
    if not rows["documents"]:
        which = "documents" if doc_id is None else f"document {doc_id}"
        raise UserError(f"The bundle that run {run_id} came in has no {which} of a task '{task}'.")
    with db.open_read(database) as con:
        scores = ask(con, "document_scores", parameters | {"run_id": run_id})
    answers: dict[str, dict[int, Record]] = {}
    for row in rows["answers"]:
        answers.setdefault(row["level"], {})[row["doc_id"]] = row
    for level in levels or ():
        if level not in answers:
            raise UserError(f"Run {run_id} has no answers of {task} at level {level}: it has {', '.join(answers)}.")
    scores_of: dict[tuple[str, int], list[Record]] = {}
    for row in scores:
        scores_of.setdefault((row["level"], row["doc_id"]), []).append(row)
    chosen = list(answers) if levels is None else levels

    def given(level: str, at: int) -> LevelAnswers:
        return _answers(level, answers[level][at], scores_of.get((level, at), []))

    return tuple(
        _document(
            run_id, task, row, [given(level, row["doc_id"]) for level in chosen if row["doc_id"] in answers[level]]
        )
        for row in rows["documents"]
    )


def _document(run_id: str, task: str, row: Record, levels: list[LevelAnswers]) -> Document:
    try:
        target = json.loads(row["target"] or "null")
    except (ValueError, RecursionError) as error:  # valid when it was imported, but of a stranger's making
        raise UserError(
            f"The gold answer of document {row['doc_id']} of {task} in run {run_id} cannot be read."
        ) from error
    return Document(
        run_id=run_id,
        task=task,
        doc_id=row["doc_id"],
        doc_hash=row["doc_hash"],
        prompts=tuple(row["prompts"]),
        choices=tuple(row["choices"]),
        target=target,
        levels=tuple(levels),
    )


def _history(folder: Path) -> RunHistory:
    history = RunHistory()
    try:
        events, _ = journal.read(folder / "journal.jsonl")
    except FileNotFoundError as error:
        raise UserError(
            f"There is no journal of run {folder.name} in {folder}: documents can be read of runs whose folder is "
            "here, and of those that came in a bundle with them."
        ) from error
    for event in events:
        history.take(event)
    return history


def _cells(history: RunHistory, run_id: str, task: str, levels: Sequence[str] | None) -> list[CellFacts]:
    """The finished cells of a task, each of which has a file."""
    cells = {level: cell for (level, name), cell in history.cells.items() if name == task and cell.samples}
    if not cells:
        others = sorted({name for (_, name), cell in history.cells.items() if cell.samples})
        listed = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
        raise UserError(f"Run {run_id} has no answers of a task '{task}': it has those of {listed or 'none yet'}.")
    for level in levels or ():
        if level not in cells:
            raise UserError(f"Run {run_id} has no answers of {task} at level {level}: it has {', '.join(cells)}.")
    return [cells[level] for level in (cells if levels is None else levels)]


def _file(folder: Path, facts: DocumentsFacts | CellFacts) -> Path:
    """A file that the journal names, if it is still the one that was written."""
    name, hash_ = (
        (facts.path, facts.hash) if isinstance(facts, DocumentsFacts) else (facts.samples or "", facts.samples_hash)
    )
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{file} lies outside the run's folder: the journal that names it is not one of ours.")
    try:
        digest = kept_documents.digest(file)
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}): {_MEND}.") from error
    if hash_ not in (None, digest):
        raise UserError(f"{file} is damaged, or was written by others: its sha256 is not the journal's; {_MEND}.")
    return file.resolve()


def _rows(files: list[Path], doc_id: int | None) -> list[list[Record]]:
    """The rows of one document, or of all, in each file, that of the documents first."""
    queries = chain(["document"], repeat("document_answers"))
    return _ask_each([(file, query, {"doc_id": doc_id}) for file, query in zip(files, queries, strict=False)])


def _ask_each(questions: list[tuple[Path, str, Record]]) -> list[list[Record]]:
    """The answers of queries, each about one file."""
    import duckdb

    files, answers = [file for file, _, _ in questions], list[list[Record]]()
    file = files[0]
    try:
        with duckdb.connect(config={**confine.config(files)}) as con:
            confine.confine(con, files)
            for file, query, parameters in questions:
                answers.append(ask(con, query, parameters | {"path": glob.escape(str(file.resolve()))}))
    except duckdb.Error as error:
        raise UserError(f"{file} cannot be read ({str(error).splitlines()[0]}): {_MEND}.") from error
    return answers


def _answers(level: str, given: Record, rows: list[Record]) -> LevelAnswers:
    return LevelAnswers(
        level=level,
        log_likelihoods=tuple(given.get("log_likelihoods") or ()),
        greedy=tuple(given.get("greedy") or ()),
        texts=tuple(given.get("texts") or ()),
        scores=tuple(Score(row["metric"], row["filter"], row["value"], row["response"]) for row in rows),
    )
