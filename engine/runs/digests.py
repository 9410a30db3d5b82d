"""What plan and journal say of each run, in short, and a file of that for those that have not changed since.

The file, `.index.json` among the runs, only saves reading: an entry counts for as long as plan and journal are the
files that it was made from, by size, times and inode. One that is missing, damaged or another version's is made anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.runs.device import device_of
from engine.runs.progress import progress
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.run_state import CALIBRATE, SORT_NEURONS, RunHistory, RunState
from warehouse.store import run_folders
from warehouse.store.journal import JournalError

_FORMAT = 5
_FILE = ".index.json"
_WORTH_A_FILE = 50  # runs; fewer are read in an instant

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A run as its plan and its journal tell it. `state` does not know whether a process is at work.

    `asked_model` is the plan's, `model` what it came to; `database` is seen from the run's folder; `current` is the
    (level, task) that was begun last; `failures` are (level, task, error). `attempt` counts from 1, 0 before the first;
    `device` is where it was made, as `device_of` has it. `startup_seconds` leaves out looking at neurons on text, which
    took `looking_seconds`, and depends on `looks`. `watts` is what its devices drew on average, `profiling_seconds`
    what measuring the cost of its levels took; None where that was not recorded.
    """

    name: str
    asked_model: str
    model: str
    method: str
    repair: str
    sweep: str | None
    sweep_name: str | None
    suite: str | None
    levels: tuple[str, ...]
    tasks: tuple[str, ...]
    limit: float | None
    created_at: str
    database: str
    state: str
    turns: int
    done: int
    failed: int
    total: int | None
    current: tuple[str, str] | None
    seconds_left: float | None
    note: str
    pid: int | None
    host: str | None
    attempt: int
    device: str
    failures: tuple[tuple[str, str, str], ...]
    seconds_per_cell: dict[str, float]
    startup_seconds: float | None
    looks: tuple[str, ...]
    looking_seconds: float | None
    watts: float | None
    profiling_seconds: float | None

    @classmethod
    def of(cls, run: RunDir, history: RunHistory) -> Digest:
        """Errors as `RunDir.plan`."""
        plan, reached = run.plan, progress(history)
        return cls(
            name=history.renamed or plan.name,
            asked_model=plan.model,
            model=history.model.model if history.model else plan.model,
            method=plan.method,
            repair=plan.repair,
            sweep=plan.sweep,
            sweep_name=plan.sweep_name,
            suite=plan.suite,
            levels=history.levels,
            tasks=tuple(map(str, plan.tasks)),
            limit=plan.limit,
            created_at=run.created_at.isoformat(),
            database=run.named_database,
            state=str(history.state),
            turns=history.turns,
            done=reached.done,
            failed=reached.failed,
            total=reached.total,
            current=None if reached.current is None else (reached.current.level, reached.current.task),
            seconds_left=reached.seconds_left,
            note=history.note,
            pid=history.attempt.pid if history.attempt else None,
            host=history.attempt.host if history.attempt else None,
            attempt=history.attempt.attempt if history.attempt else 0,
            device=device_of(history.attempt),
            failures=tuple((one.level, one.task, one.error) for one in history.failures.values()),
            seconds_per_cell=history.seconds_per_cell(),
            startup_seconds=_startup_seconds(plan, history),
            looks=plan.looks,
            looking_seconds=_looking_seconds(plan, history),
            watts=history.watts,
            profiling_seconds=_profiling_seconds(plan, history),
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Digest:
        """Raises:
        TypeError, KeyError: it is none.
        """
        current = record["current"]
        tuples: dict[str, Any] = {
            "levels": tuple(record["levels"]),
            "tasks": tuple(record["tasks"]),
            "current": None if current is None else tuple(current),
            "failures": tuple(map(tuple, record["failures"])),
            "looks": tuple(record["looks"]),
        }
        return cls(**{**record, **tuples})

    def standing(self, run: RunDir) -> RunState:
        """Where the run stands now, with what its folder tells of processes. Errors as `RunDir.state`."""
        if run.holder() is not None:
            return RunState.RUNNING
        return RunState(self.state) if run.unanswered(self.turns) is None else run.state()


def _startup_seconds(plan: RunPlan, history: RunHistory) -> float | None:
    if history.startup_seconds is None or not plan.is_calibrated:
        return history.startup_seconds
    looking = sum(history.start_stages.get(stage, 0.0) for stage in (CALIBRATE, SORT_NEURONS))
    return max(0.0, history.startup_seconds - looking)


def _looking_seconds(plan: RunPlan, history: RunHistory) -> float | None:
    """None where the last start had its text from an earlier one, or has not come so far."""
    stages = history.start_stages
    if not plan.is_calibrated or CALIBRATE not in stages or SORT_NEURONS not in stages:
        return None
    return stages[CALIBRATE] + stages[SORT_NEURONS]


def _profiling_seconds(plan: RunPlan, history: RunHistory) -> float | None:
    stages = history.start_stages
    if plan.profile is None or "profile" not in stages:
        return None
    return sum(stages.get(stage, 0.0) for stage in ("measure machine", "profile", "load levels"))


@dataclass(slots=True)
class Digests:
    """The digests of a database's runs, read again only where a run's files have changed."""

    database: Path
    _entries: dict[str, tuple[Key, Digest]] = field(default_factory=dict[str, tuple[Key, Digest]])
    _changed: bool = False

    @classmethod
    def load(cls, database: Path) -> Digests:
        return cls(database, _read(runs_root(database) / _FILE))

    def runs(self) -> Iterator[tuple[RunDir, Digest | UserError]]:
        """Every run of the database, oldest first, with its digest or why there is none."""
        root = runs_root(self.database)
        names = run_folders.names(root)
        for gone in self._entries.keys() - set(names):
            self.drop(gone)
        for name in names:
            run = RunDir(root / name)
            try:
                digest = self.of(run)
                ours = run_folders.is_for(run.path / digest.database, self.database)
            except FileNotFoundError:  # no run, or deleted under our eyes
                continue
            except (UserError, ValueError) as error:
                digest = error if isinstance(error, UserError) else UserError(str(error))
                ours = run_folders.belongs(run.path, self.database)
            if ours:
                yield run, digest

    def damaged(self) -> dict[str, str]:
        """Of every run whose journal is damaged, where it is: a merge reads only what is new, and does not meet a line
        that was damaged after it was merged.
        """
        return {
            run.run_id: f"{digest} The database keeps what it has of the run."
            for run, digest in self.runs()
            if isinstance(digest, JournalError)
        }

    def of(self, run: RunDir) -> Digest:
        """Raises:
        UserError: plan or journal are damaged.
        FileNotFoundError: it is no run's folder.
        """
        key = key_of(run)
        if (entry := self._entries.get(run.run_id)) is not None and entry[0] == key:
            return entry[1]
        digest = Digest.of(run, run.history()[0])
        self.put(run, key, digest)
        return digest

    def put(self, run: RunDir, key: Key, digest: Digest) -> None:
        """What was read of a run whose files had the key before they were read."""
        self._entries[run.run_id] = (key, digest)
        self._changed = True

    def drop(self, run_id: str) -> None:
        """The run is gone."""
        self._changed |= self._entries.pop(run_id, None) is not None

    def save(self) -> None:
        """Keep them for the next time, if they are many; without leave to write they are read again then."""
        if not self._changed or len(self._entries) < _WORTH_A_FILE:
            return
        self._changed = False
        entries = {run_id: [key, asdict(digest)] for run_id, (key, digest) in self._entries.items()}
        body = json.dumps({"version": _version(), "runs": entries}, ensure_ascii=False)
        path = runs_root(self.database) / _FILE
        draft = path.with_name(f"{_FILE}.{os.getpid()}")
        with suppress(OSError):
            try:
                draft.write_text(f"{_hash(body)}\n{body}\n", encoding="utf-8")
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)


def key_of(run: RunDir) -> Key:
    """What tells a run's plan and journal from what they were.

    Raises:
        FileNotFoundError: there is no plan.
    """
    plan = (run.path / "plan.json").stat()
    try:
        journal = run.journal_path.stat()
    except FileNotFoundError:
        return _of(plan)
    return _of(plan) + _of(journal)


def _of(status: os.stat_result) -> Key:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _read(path: Path) -> dict[str, tuple[Key, Digest]]:
    try:
        digest, _, body = path.read_text(encoding="utf-8").rstrip("\n").partition("\n")
        record = json.loads(body) if digest == _hash(body) else None
        if record is None or record["version"] != _version():
            return {}
        return {run_id: (tuple(key), Digest.from_json(one)) for run_id, (key, one) in record["runs"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _version() -> list[Any]:
    return [_FORMAT, version("prune-tui")]


def _hash(body: str) -> str:
    return sha256(body.encode(errors="surrogatepass")).hexdigest()
