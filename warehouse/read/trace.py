"""From a number back to what it came from, and whether all of that still says the same."""

from __future__ import annotations

import glob
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from warehouse.read.grid import change
from warehouse.read.metric_lookup import MetricQuery, find
from warehouse.read.places import Place, place_of
from warehouse.read.sources import BundleNote, CellSource, Measurement, Number, PartNumber, RunSource
from warehouse.stats.aggregates import agree, identical, recompute
from warehouse.stats.metric import SampleSums
from warehouse.store import answers, confine, db
from warehouse.store.journal_lines import JournalIndex, JournalLine
from warehouse.text import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


T = TypeVar("T")
Parameters = dict[str, Any]
"""A query's parameters."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified: `holds` is None where it cannot be verified here, and `said` says why."""

    what: str
    holds: bool | None
    said: str


@dataclass(slots=True)
class Provenance:
    """Where one number came from.

    `number` is the current one, `run` and `cell` are what it was recorded with; `measured` lists every time that it
    was measured, the current one first; `parts` are those of a group's aggregate, each followed back in the same way.
    """

    number: Number
    run: RunSource
    cell: CellSource
    provenance: dict[str, Any]
    plan: dict[str, Any]
    measured: list[Measurement]
    parts: list[Provenance] = field(default_factory=list)
    bundles: list[BundleNote] = field(default_factory=list)
    journal: Path | None = None
    line: JournalLine | None = None
    place: Place | None = None
    samples_file: Path | None = None
    samples: SampleSums | None = None
    checks: list[Check] = field(default_factory=list)

    @property
    def below(self) -> list[Provenance]:
        """The parts of a group, their parts, and so on to the last."""
        return [origin for part in self.parts for origin in (part, *part.below)]

    @property
    def all_checks(self) -> list[Check]:
        return [*self.checks, *(check for part in self.below for check in part.checks)]


@dataclass(frozen=True, slots=True)
class Trace:
    """A number's origin and, where it is of a pruned model that can be compared, its baseline's."""

    origin: Provenance
    baseline: Provenance | None

    @property
    def delta(self) -> float | None:
        return self._change[0]

    @property
    def delta_pct(self) -> float | None:
        return self._change[1]

    @property
    def _change(self) -> tuple[float | None, float | None]:
        if self.baseline is None:
            return None, None
        return change(self.origin.number.value, self.baseline.number.value)

    @property
    def differences(self) -> list[tuple[str, Any, Any]]:
        """In what the number and its baseline were not measured alike: what, here, there. Unknown is no difference."""
        if self.baseline is None:
            return []
        here, there = _made_with(self.origin), _made_with(self.baseline)
        pairs = [(what, here[what], there[what]) for what in here]
        return [(what, one, other) for what, one, other in pairs if None not in (one, other) and one != other]

    @property
    def checks(self) -> list[Check]:
        """Those of the number and of its baseline, down to the last part of a group."""
        return [*self.origin.all_checks, *(self.baseline.all_checks if self.baseline else ())]

    @property
    def holds(self) -> bool:
        """Whether nothing that could be verified was found to say otherwise."""
        return all(check.holds is not False for check in self.checks)


@dataclass(slots=True)
class _Sources:
    """What can be asked: the database, and the journals under the runs' folders, each read once."""

    con: DuckDBPyConnection
    runs_root: Path
    journals: dict[Path, JournalIndex] = field(default_factory=dict)

    def line(self, journal: Path, seq: int) -> JournalLine | None:
        """Raises:
        OSError: the journal cannot be read.
        """
        if journal not in self.journals:
            self.journals[journal] = JournalIndex(journal)
        return self.journals[journal].find(seq)

    def rows(self, query: str, kind: type[T], parameters: Parameters) -> list[T]:
        return answers.read(self.con, query, kind, parameters)


def trace(path: Path, wanted: MetricQuery, runs_root: Path, *, wait: float = 2.0) -> Trace:
    """Find the number that is meant and follow it back; runs' folders lie under `runs_root`.

    Raises:
        UserError: no such number, or several; or as `db.open_read`.
        DatabaseBusyError: another process holds the file.
    """
    with db.open_read(path, wait=wait) as con:
        number, baseline = find(con, wanted)
        sources = _Sources(con, runs_root)
        return Trace(_origin(sources, number), None if baseline is None else _origin(sources, baseline))


def _made_with(origin: Provenance) -> dict[str, Any]:
    """What may change a score beside the model and the questions."""
    provenance = origin.provenance
    gpu = provenance.get("gpu")
    return {
        "tokenizer": origin.run.tokenizer_hash,
        "config": origin.run.config_hash,
        "harness": origin.cell.harness_version or (provenance.get("versions") or {}).get("lm-eval"),
        "hardware": gpu.get("name") if isinstance(gpu, dict) else provenance.get("cpu"),
    }


def _origin(sources: _Sources, number: Number) -> Provenance:
    of = {"run_id": number.run_id, "seq": number.seq}
    run = sources.rows("why_run", RunSource, of)[0]
    # A width that was asked for in several ways goes by one name in the views, by its own in its run.
    measured = sources.rows("why_measured", Measurement, _only(number, *_IDENTITY))
    current = next(row for row in measured if (row.run_id, row.seq) == (number.run_id, number.seq))
    origin = Provenance(
        number=number,
        run=run,
        cell=sources.rows("why_cell", CellSource, of | {"level": current.level, "task": number.task})[0],
        provenance=json.loads(run.provenance or "null") or {},
        plan=json.loads(run.plan or "null") or {},
        measured=measured,
        bundles=sources.rows("bundle_notes", BundleNote, {"run_id": number.run_id}),
    )
    _follow(sources, origin)
    return origin


def _part(sources: _Sources, group: Provenance, row: PartNumber) -> Provenance:
    """A part of a group: measured by the same run at the same width."""
    number = replace(group.number, **asdict(row))
    parameters = {"level": group.cell.level} | _only(number, "run_id", "seq", "task")
    part = Provenance(
        number=number, run=group.run, cell=sources.rows("why_cell", CellSource, parameters)[0],
        provenance=group.provenance, plan=group.plan, measured=[], bundles=group.bundles,
    )  # fmt: skip
    _follow(sources, part)
    return part


def _follow(sources: _Sources, origin: Provenance) -> None:
    number = origin.number
    parameters = {"level": origin.cell.level} | _only(number, "run_id", "seq", "task", "metric", "filter")
    _follow_journal(sources, origin)
    if number.is_group:
        origin.parts = [_part(sources, origin, row) for row in sources.rows("why_parts", PartNumber, parameters)]
        origin.checks.append(_check_parts(origin))
    else:
        _follow_samples(sources, origin, parameters)


_IDENTITY = (
    "model_id", "conditions", "base_conditions", "unpruned", "method", "repair", "intermediate_size", "pruning_pct",
    "task", "num_fewshot", "version", "metric", "filter",
)  # fmt: skip


def _follow_journal(sources: _Sources, origin: Provenance) -> None:
    number, run = origin.number, origin.run
    if run.origin != "run":
        origin.place = place_of(
            run.origin, origin.plan.get("source"), model=run.model or number.model, level=origin.cell.level,
            task=number.task, shots=number.num_fewshot, metric=number.metric, filter=number.filter,
        )  # fmt: skip
        origin.checks.append(_check_place(origin.place, number.value))
        return
    origin.journal = journal = sources.runs_root / run.run_id / "journal.jsonl"
    try:
        origin.line = sources.line(journal, number.seq)
    except FileNotFoundError:
        came = f": it came in the bundle {origin.bundles[-1].file}" if origin.bundles else ""
        origin.checks.append(Check("journal", None, f"there is no {journal} here{came}"))
        return
    except OSError as error:
        origin.checks.append(Check("journal", None, f"{journal} cannot be read ({error.strerror})"))
        return
    origin.checks.append(_check_line(origin))


def _check_line(origin: Provenance) -> Check:
    number, line = origin.number, origin.line
    if line is None:
        return Check("journal", False, f"{origin.journal} has no event {number.seq} any more")
    where = f"line {line.number}"
    cell, said = line.cell, line.metric(number.metric, number.filter)
    if cell is None or said is None or (cell.level, cell.task) != (origin.cell.level, number.task):
        return Check("journal", False, f"{where} is about something else")
    for name, here, there in (
        ("value", said.value, number.value),
        ("stderr", said.stderr, number.stderr),
        ("n", said.n, number.n),
    ):
        if not identical(here, there):
            return Check("journal", False, f"{where} says {name} {here}, the database {there}")
    return Check("journal", True, f"{where} says the same number")


def _check_place(place: Place | None, value: float) -> Check:
    if place is None:
        return Check("file", None, "the database does not say which file it came from")
    if place.value is None:
        return Check("file", None, f"{place.file} is not here to be read again")
    holds = identical(place.value, value)
    return Check("file", holds, f"{place.place} says {'the same number' if holds else place.value}")


def _check_parts(origin: Provenance) -> Check:
    """lm-eval averages over a group's last parts; others write an average of averages."""
    value = origin.number.value
    if not origin.parts:
        return Check("parts", None, "the parts of the group are not in the database")
    last = [part for part in origin.below if not part.parts]
    for parts, of in ((origin.parts, "parts"), (last, "last parts")):
        for way, average in _averages([part.number for part in parts]).items():
            if agree(average, value):
                return Check("parts", True, f"the {way} of its {len(parts)} {of} is the same number")
    return Check("parts", None, f"the group's way to aggregate its {len(origin.parts)} parts is not known here")


def _averages(parts: Sequence[Number]) -> dict[str, float]:
    sized = [(part.value, part.n) for part in parts if part.n]
    ways = {"mean": sum(part.value for part in parts) / len(parts)}
    if len(sized) == len(parts):
        ways["mean, weighted by documents,"] = sum(one * n for one, n in sized) / sum(n for _, n in sized)
    return ways


def _follow_samples(sources: _Sources, origin: Provenance, parameters: Parameters) -> None:
    sums = sources.rows("why_samples", SampleSums, parameters)[0]
    if sums.rows:
        origin.samples = sums
        origin.checks.append(_check_samples("samples", origin.number, sums))
    else:
        origin.checks.append(Check("samples", None, "the database has no per-document results of it"))
    if origin.run.origin != "run" or not origin.cell.samples:
        return
    folder = sources.runs_root / origin.run.run_id
    file = folder / origin.cell.samples
    if not file.resolve().is_relative_to(folder.resolve()):
        origin.checks.append(Check("samples file", False, f"{file} lies outside the run's folder"))
        return
    origin.samples_file = file
    if not file.is_file():
        origin.checks.append(Check("samples file", None, f"there is no {file} here"))
        return
    origin.checks.append(_check_file(origin, file, sums))


def _check_file(origin: Provenance, file: Path, stored: SampleSums) -> Check:
    import duckdb

    parameters = _only(origin.number, "metric", "filter") | {"path": glob.escape(str(file.resolve()))}
    try:
        # By itself: what else this process asks of the database meanwhile has no reach.
        with duckdb.connect(config={**confine.config([file])}) as con:
            confine.confine(con, [file])
            sums = answers.read(con, "why_sample_file", SampleSums, parameters)[0]
    except duckdb.Error as error:
        return Check("samples file", False, f"{file} cannot be read ({str(error).splitlines()[0]})")
    if stored.rows and sums.rows != stored.rows:
        return Check("samples file", False, f"it has {counted(sums.rows, 'row')}, the database {stored.rows:,}")
    return _check_samples("samples file", origin.number, sums)


def _check_samples(what: str, number: Number, sums: SampleSums) -> Check:
    rows = counted(sums.rows, "document")
    again = recompute(number.metric, sums)
    if again is None:
        return Check(what, None, f"{rows}; {number.metric} is not computed from their scores alone")
    value, how = again
    if agree(value, number.value):
        return Check(what, True, f"{how} of {rows} is the same number")
    return Check(what, False, f"{how} of {rows} is {value!r}, not {number.value!r}")


def _only(number: Number, *names: str) -> Parameters:
    return {name: getattr(number, name) for name in names}
