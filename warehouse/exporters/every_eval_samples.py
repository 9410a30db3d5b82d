"""Every Eval Ever's records of single documents: a line for each document and score of it, beside a level's record.

Their schema of instances says of each whether it was answered rightly, so what is not judged so (perplexities, F1 and
the like) has no lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from warehouse.errors import UserError
from warehouse.read.documents import Document, Score, read_documents

SCHEMA_VERSION = "0.3.0"
_NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Samples:
    """`path` is the file's place below the exported folder, as their data store has it; `details` names it in a record.
    `left_out` says what has no lines, and why; without any, `text` is empty.
    """

    path: str
    text: str
    details: Mapping[str, Any]
    left_out: tuple[str, ...]


def every_eval_samples(
    database: Path, run_id: str, record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Samples:
    """The documents behind one level's record, whose scores are `rows`.

    Raises:
        UserError: as `db.open_read`.
    """
    level = rows[0]["level"]
    ids = {(row["task"], row["metric"], row["filter"]): result["evaluation_result_id"]
           for row, result in zip(rows, record["evaluation_results"], strict=True)}  # fmt: skip
    judged = {(row["task"], row["metric"], row["filter"]) for row in rows if row["is_share"] and not row["is_group"]}
    lines: list[str] = []
    left_out: list[str] = []
    for task in dict.fromkeys(row["task"] for row in rows if not row["is_group"]):
        try:
            documents = read_documents(database, run_id, task, levels=[level])
        except UserError as error:
            left_out.append(f"documents of {task}, level {level}: {error}")
            continue
        own = {key: ids[key] for key in judged if key[0] == task}
        lines += [json.dumps(line, ensure_ascii=False) for line in _lines(documents, record, own)]
        left_out += [
            f"documents of {row['task']}, {row['metric']}, level {level}: no document is right or wrong by it"
            for row in rows if row["task"] == task and (task, row["metric"], row["filter"]) not in judged
        ]  # fmt: skip
    if not lines:
        return Samples("", "", {}, tuple(left_out))
    text = "\n".join(lines) + "\n"
    developer, _, name = str(record["model_info"]["id"]).rpartition("/")
    path = f"data/prune-tui/{developer or _NOBODY}/{name}/{_uuid(run_id, level)}_samples.jsonl"
    return Samples(
        path=path,
        text=text,
        details={
            "format": "jsonl",
            "file_path": path,
            "hash_algorithm": "sha256",
            "checksum": sha256(text.encode()).hexdigest(),
            "total_rows": len(lines),
        },
        left_out=tuple(left_out),
    )


def _uuid(run_id: str, level: str) -> UUID:
    """The same whenever this level is exported."""
    return UUID(bytes=sha256(f"{run_id}/{level}".encode()).digest()[:16], version=4)


def _lines(
    documents: Sequence[Document], record: Mapping[str, Any], ids: Mapping[tuple[str, str, str], str]
) -> Iterator[dict[str, Any]]:
    for document in documents:
        raw, reference = "\n".join(document.prompts), _reference(document)
        for answers in document.levels:
            for score in answers.scores:
                result = ids.get((document.task, score.metric, score.filter))
                if result is None or score.value is None or not math.isfinite(score.value):
                    continue
                said, extracted = _said(document, score, answers.texts)
                likely = {} if not answers.log_likelihoods else {"log_likelihoods": json.dumps(answers.log_likelihoods)}
                yield {
                    "schema_version": SCHEMA_VERSION,
                    "evaluation_id": record["evaluation_id"],
                    "model_id": record["model_info"]["id"],
                    "evaluation_name": document.task,
                    "evaluation_result_id": result,
                    "sample_id": str(document.doc_id),
                    "sample_hash": sha256((raw + "".join(reference)).encode()).hexdigest(),
                    "interaction_type": "single_turn",
                    "input": {"raw": raw, "reference": reference, "choices": list(document.choices) or None},
                    "output": {"raw": said},
                    "messages": None,
                    "answer_attribution": extracted,
                    "evaluation": {"score": score.value, "is_correct": score.value == 1},
                    "metadata": {"doc_hash": document.doc_hash, "metric": score.metric, "filter": score.filter}
                    | likely,
                }


def _reference(document: Document) -> list[str]:
    """What is right, as texts: a choice by its words."""
    target = document.target
    if target is None:
        return []
    listed = target if isinstance(target, list) else [target]
    choices = document.choices
    return [
        choices[one] if isinstance(one, int) and not isinstance(one, bool) and 0 <= one < len(choices) else str(one)
        for one in listed
    ]


def _said(document: Document, score: Score, texts: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """What the model put out, and what was taken of it: a text and what a filter left, or the likeliest choice."""
    try:
        taken: Any = None if score.response is None else json.loads(score.response)
    except ValueError:
        taken = score.response
    if texts:
        said, how = list(texts), score.filter
        value = taken if isinstance(taken, str) else None if taken is None else json.dumps(taken, ensure_ascii=False)
    else:
        is_choice = isinstance(taken, int) and not isinstance(taken, bool) and 0 <= taken < len(document.choices)
        value = document.choices[taken] if is_choice else None
        said, how = ([] if value is None else [value]), "the likeliest choice"
    if value is None:
        return said, []
    found = {
        "turn_idx": 0,
        "source": "output.raw",
        "extracted_value": value,
        "extraction_method": how,
        "is_terminal": True,
    }
    return said, [found]
