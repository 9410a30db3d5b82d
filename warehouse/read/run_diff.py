"""Two runs side by side: what they were, which of their numbers are the same, and where they part."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from warehouse.errors import UserError
from warehouse.read.runs import RunSummary, list_runs
from warehouse.records.names import runs_called
from warehouse.stats.aggregates import identical
from warehouse.stats.hypothesis_tests import holm, mcnemar, z_test
from warehouse.store import answers, db
from warehouse.store.answers import Record

Verdict = Literal["same", "within noise", "different", "missing"]

# Changed documents that are named for each number, the largest changes first.
MOST_DOCUMENTS = 50
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not alike in what two runs were or ran on."""

    what: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Document:
    """One document whose score is not the same in both runs."""

    task: str
    doc_id: int
    a: float | None
    b: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of both runs; `a` or `b` is None where a run lacks it, `missing_from` says which.

    `test` says how noise was judged and `p` (corrected by Holm over all numbers that were tested) what it gave.
    `documents` counts those that both runs scored, `changed` those with another score, `answered` those with another
    answer; all are None without per-document results.
    """

    level: str
    task: str
    metric: str
    filter: str
    a: float | None
    b: float | None
    verdict: Verdict
    why: str
    test: str | None = None
    p: float | None = None
    missing_from: Literal["a", "b"] | None = None
    documents: int | None = None
    changed: int | None = None
    rose: int | None = None
    fell: int | None = None
    answered: int | None = None
    which: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class RunDiff:
    """How two runs compare."""

    a: RunSummary
    b: RunSummary
    differences: tuple[Difference, ...]
    numbers: tuple[Compared, ...]

    def of(self, verdict: Verdict) -> list[Compared]:
        return [one for one in self.numbers if one.verdict == verdict]

    @property
    def verdict(self) -> Verdict:
        """The worst of the numbers' verdicts; numbers that only one run has make the runs different."""
        found = {one.verdict for one in self.numbers}
        if found & {"different", "missing"}:
            return "different"
        return "within noise" if "within noise" in found else "same"


def diff_runs(path: Path, a: str, b: str, *, wait: float = 2.0) -> RunDiff:
    """Compare two runs, each given by its id, the beginning of one, its name, or `latest`.

    Raises:
        UserError: no such run, several, twice the same, or two that have no cell in common; or as `db.open_read`.
        DatabaseBusyError: another process holds the file.
    """
    runs = list_runs(path, wait=wait)
    one, other = find_run(runs, a), find_run(runs, b)
    if one.run_id == other.run_id:
        raise UserError(f"'{a}' and '{b}' are the same run, {one.run_id}: name two.")
    asked = {"a": one.run_id, "b": other.run_id}
    with db.open_read(path, wait=wait) as con:
        metrics = answers.ask(con, "diff_metrics", asked)
        documents = answers.ask(con, "diff_documents", asked | {"most": MOST_DOCUMENTS})
        facts = [answers.ask(con, "diff_facts", {"run_id": run.run_id})[0] for run in (one, other)]
    if not any(row["a_seq"] is not None and row["b_seq"] is not None for row in metrics):
        raise UserError(
            f"{one.run_id} ({one.name}) and {other.run_id} ({other.name}) have no number in common: "
            "compare two runs that measured the same tasks at the same levels."
        )
    paired = {_key(row): row for row in documents}
    numbers = _corrected([_compare(row, paired.get(_key(row))) for row in metrics])
    return RunDiff(one, other, tuple(_differences(*facts)), tuple(numbers))


def find_run(runs: list[RunSummary], text: str) -> RunSummary:
    """The run of the warehouse that a person means; `runs` are the newest first.

    Raises:
        UserError: none fits, or several do.
    """
    if not runs:
        raise UserError("The database holds no runs yet: start one.")
    if text == "latest":
        return runs[0]
    fitting = runs_called(text, runs)
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{run.run_id} ({run.name})" for run in (fitting or runs)[:5])
    if fitting:
        raise UserError(f"'{text}' fits {len(fitting)} runs: give more of the id, such as {listed}.")
    raise UserError(f"There is no run '{text}' in the database: the latest are {listed}.")


def _key(row: Record) -> tuple[str, ...]:
    return tuple(row[name] for name in ("level", "task", "metric", "filter"))


def _compare(row: Record, documents: Record | None) -> Compared:
    a, b = row["a"], row["b"]
    found = Compared(row["level"], row["task"], row["metric"], row["filter"], a, b, "same", "equal to the last bit")
    if row["a_seq"] is None or row["b_seq"] is None:
        return replace(
            found, verdict="missing", why="only one run has it", missing_from="a" if row["a_seq"] is None else "b"
        )
    for name, what in (("version", "task version"), ("shots", "number of shots")):
        if row[f"a_{name}"] != row[f"b_{name}"]:
            return replace(found, verdict="different", why=f"{what} {row[f'a_{name}']} and {row[f'b_{name}']}")
    if documents is None or not documents["documents"]:
        return found if identical(a, b) else _without_documents(found, row)
    counts = {name: documents[name] for name in ("documents", "changed", "rose", "fell", "answered")}
    which = tuple(Document(**one) for one in documents["which"] or ())
    found = replace(found, **counts, which=which)
    if documents["only_a"] or documents["only_b"]:
        alone = documents["only_a"] + documents["only_b"]
        return replace(found, verdict="different", why=f"{alone} documents were scored by one run only")
    if identical(a, b) and not documents["changed"]:
        answered = documents["answered"]
        return replace(found, why=f"{found.why}; {answered} answers differ, their scores do not") if answered else found
    return _paired(found, documents)


def _without_documents(found: Compared, row: Record) -> Compared:
    errors = (row["a_stderr"], row["b_stderr"])
    if found.a is None or found.b is None or any(error is None or math.isnan(error) for error in errors):
        return replace(found, verdict="different", why="not equal, and without a standard error noise has no measure")
    p = z_test(found.b - found.a, math.hypot(*errors))
    return replace(found, verdict="within noise", why="no per-document results", test="z, unpaired", p=_certain(p))


def _paired(found: Compared, documents: Record) -> Compared:
    why = f"{documents['changed']} of {documents['documents']} documents changed"
    if not documents["changed"]:
        # The same scores and another number: it was not computed from them in the same way.
        return replace(found, verdict="different", why="not equal, although every document's score is")
    if documents["right_or_wrong"]:
        p, test = mcnemar(documents["rose"], documents["fell"]), "McNemar, exact"
    elif documents["scored"] > 1:
        p = z_test(documents["mean_change"], documents["change_sd"] / math.sqrt(documents["scored"]))
        test = "z, paired"
    else:
        return replace(found, verdict="different", why=f"{why}: too few for a test")
    return replace(found, verdict="within noise", why=why, test=test, p=_certain(p))


def _certain(p: float) -> float:
    """No number to compare with (NaN) is a difference."""
    return 0.0 if math.isnan(p) else p


def _corrected(numbers: list[Compared]) -> list[Compared]:
    tested = [one for one in numbers if one.p is not None]
    corrected = iter(holm([one.p for one in tested if one.p is not None]))
    found = []
    for one in numbers:
        if one.p is not None:
            p = next(corrected)
            one = replace(one, p=p, verdict="different" if p < _LEVEL else "within noise")
        found.append(one)
    return found


def _differences(a: Record, b: Record) -> Iterator[Difference]:
    for what, one, other in _unlike(_facts(a), _facts(b), ""):
        yield Difference(what, one, other)


def _facts(row: Record) -> dict[str, Any]:
    plan = json.loads(row["plan"] or "null") or {}
    return {
        "plan": {name: value for name, value in plan.items() if name != "name"},
        "dtype": row["dtype"],
        "conditions": row["conditions"],
        "attempts": row["attempts"],
        "ran on": json.loads(row["provenance"] or "null") or {},
        "model": row["model"],
        "width": row["widths"] or {},
        "task": row["tasks"] or {},
    }


def _unlike(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for name in dict.fromkeys([*a, *b]):
            yield from _unlike(a.get(name), b.get(name), f"{path} {name}".strip())
    elif a != b:
        yield path, a, b
