"""Two runs side by side: what they were, which of their numbers are the same, and where they part."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from warehouse.errors import UserError
from warehouse.read.runs import RunSummary, list_runs
from warehouse.records.names import runs_called
from warehouse.stats.aggregates import identical
from warehouse.stats.hypothesis_tests import holm, mcnemar, z_test
from warehouse.store import answers, db
from warehouse.text import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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


@dataclass(frozen=True, slots=True)
class _Measured:
    """A number as one run has it."""

    value: float | None
    stderr: float | None
    version: str | None
    num_fewshot: int | None


@dataclass(frozen=True, slots=True)
class _Number:
    """A row of `diff_metrics`: one number of both runs; None where a run lacks it."""

    level: str
    task: str
    metric: str
    filter: str
    a: _Measured | None
    b: _Measured | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> _Number:
        sides = {side: None if record[side] is None else _Measured(**record[side]) for side in ("a", "b")}
        return cls(**{**record, **sides})

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.level, self.task, self.metric, self.filter


@dataclass(frozen=True, slots=True)
class _Documents:
    """A row of `diff_documents`: the documents of one number, in pairs. Counts are of those that both runs scored, but
    for `only_a` and `only_b`; `mean_change`, its `change_sd` and `right_or_wrong` are None where none was `scored`.
    """

    level: str
    task: str
    metric: str
    filter: str
    documents: int
    only_a: int
    only_b: int
    changed: int
    rose: int
    fell: int
    answered: int
    mean_change: float | None
    change_sd: float | None
    scored: int
    right_or_wrong: bool | None
    which: list[dict[str, Any]] | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.level, self.task, self.metric, self.filter

    @property
    def named(self) -> tuple[Document, ...]:
        return tuple(Document(**one) for one in self.which or ())


@dataclass(frozen=True, slots=True)
class _Facts:
    """The row of `diff_facts`: what a run says of itself; `plan` and `provenance` are JSON, `widths` are by level."""

    plan: str | None
    dtype: str | None
    conditions: str | None
    provenance: str | None
    attempts: int
    model: Mapping[str, Any] | None
    widths: Mapping[str, Mapping[str, Any]] | None
    tasks: Mapping[str, Mapping[str, Any]] | None

    def told(self) -> dict[str, Any]:
        """Under the names by which a difference is told."""
        plan = json.loads(self.plan or "null") or {}
        return {
            "plan": {name: value for name, value in plan.items() if name != "name"},
            "dtype": self.dtype,
            "conditions": self.conditions,
            "attempts": self.attempts,
            "ran on": json.loads(self.provenance or "null") or {},
            "model": self.model,
            "width": self.widths or {},
            "task": self.tasks or {},
        }


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
    asked = {"a": one.run_id, "b": other.run_id, "a_level": None, "b_level": None}
    with db.open_read(path, wait=wait) as con:
        numbers, compared = _numbers(con, asked)
        facts = [answers.read(con, "diff_facts", _Facts, {"run_id": run.run_id})[0].told() for run in (one, other)]
    if not any(number.a and number.b for number in numbers):
        raise UserError(
            f"{one.run_id} ({one.name}) and {other.run_id} ({other.name}) have no number in common: "
            "compare two runs that measured the same tasks at the same levels."
        )
    differences = tuple(Difference(*found) for found in _unlike(facts[0], facts[1], ""))
    return RunDiff(one, other, differences, tuple(compared))


def diff_levels(path: Path, a: tuple[str, str], b: tuple[str, str], *, wait: float = 2.0) -> tuple[Compared, ...]:
    """Compare one level of a run with one of the same or another run, each given by the run's id and the level's name.

    Raises:
        UserError: as `db.open_read`.
        DatabaseBusyError: another process holds the file.
    """
    with db.open_read(path, wait=wait) as con:
        _, compared = _numbers(con, {"a": a[0], "a_level": a[1], "b": b[0], "b_level": b[1]})
    return tuple(compared)


def _numbers(con: DuckDBPyConnection, asked: dict[str, Any]) -> tuple[list[_Number], list[Compared]]:
    """The numbers of two sides, and how they compare."""
    numbers = [_Number.of(record) for record in answers.ask(con, "diff_metrics", asked)]
    documents = answers.read(con, "diff_documents", _Documents, asked | {"most": MOST_DOCUMENTS})
    paired = {of_number.key: of_number for of_number in documents}
    return numbers, _corrected([_compare(number, paired.get(number.key)) for number in numbers])


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


def _compare(number: _Number, documents: _Documents | None) -> Compared:
    a, b = number.a, number.b
    found = Compared(*number.key, a and a.value, b and b.value, verdict="same", why="equal to the last bit")
    if a is None or b is None:
        return replace(found, verdict="missing", why="only one run has it", missing_from="a" if a is None else "b")
    for what, of_a, of_b in (
        ("task version", a.version, b.version),
        ("number of shots", a.num_fewshot, b.num_fewshot),
    ):
        if of_a != of_b:
            return replace(found, verdict="different", why=f"{what} {of_a} and {of_b}")
    if documents is None or not documents.documents:
        return found if identical(a.value, b.value) else _without_documents(found, a, b)
    found = replace(
        found,
        documents=documents.documents,
        changed=documents.changed,
        rose=documents.rose,
        fell=documents.fell,
        answered=documents.answered,
        which=documents.named,
    )
    if alone := documents.only_a + documents.only_b:
        return replace(found, verdict="different", why=f"scored by one run only: {counted(alone, 'document')}")
    if identical(a.value, b.value) and not documents.changed:
        answered = documents.answered
        return replace(found, why=f"{found.why}; {answered} answers differ, their scores do not") if answered else found
    return _paired(found, documents)


def _without_documents(found: Compared, a: _Measured, b: _Measured) -> Compared:
    if a.value is None or b.value is None or not (_is_number(a.stderr) and _is_number(b.stderr)):
        return replace(found, verdict="different", why="not equal, and without a standard error noise has no measure")
    p = z_test(b.value - a.value, math.hypot(a.stderr, b.stderr))
    return replace(found, verdict="within noise", why="no per-document results", test="z, unpaired", p=_certain(p))


def _is_number(stderr: float | None) -> TypeGuard[float]:
    return stderr is not None and not math.isnan(stderr)


def _paired(found: Compared, documents: _Documents) -> Compared:
    why = f"{documents.changed} of {counted(documents.documents, 'document')} changed"
    if not documents.changed:
        # The same scores and another number: it was not computed from them in the same way.
        return replace(found, verdict="different", why="not equal, although every document's score is")
    if documents.right_or_wrong:
        p, test = mcnemar(documents.rose, documents.fell), "McNemar, exact"
    elif documents.mean_change is not None and documents.change_sd is not None:  # of two documents or more
        p, test = z_test(documents.mean_change, documents.change_sd / math.sqrt(documents.scored)), "z, paired"
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


def _unlike(a: Any, b: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for name in dict.fromkeys([*a, *b]):
            yield from _unlike(a.get(name), b.get(name), f"{path} {name}".strip())
    elif a != b:
        yield path, a, b
