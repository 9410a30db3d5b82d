"""Runs that are killed, journals that are damaged, clocks and process numbers that mislead, many at one database.

    python benchmarks/attack_runs.py [--kills N] [--workers N] [PART...]

Prints what was tried and held of each part; all of them without a name. What each calls held stands with it below. All
processes are forked from one that has imported what they need. It takes three minutes on two busy cores.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import product
from multiprocessing import get_context, set_forkserver_preload
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import duckdb
from fault_injection import ages, writers
from fault_injection.count import Cells, Count, in_journals

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL, TaskSpec
from engine.runs import launch, launch_record, runlock, stopping
from engine.runs.launch_record import Start
from engine.runs.rundir import RunDir
from tui.runs.feed import Feed
from warehouse.errors import DatabaseBusyError
from warehouse.merging import journal_sync, merge
from warehouse.records.events import of_kind
from warehouse.records.facts import CellFacts
from warehouse.records.level import parse_levels
from warehouse.records.run_state import RunState
from warehouse.store import db, journal, run_folders
from warehouse.store.journal import JournalError

PRELOADED = ["fault_injection.writers", "tui.runs.feed", "warehouse.merging.merge", "warehouse.stats.pairing"]
OF_WORKERS = ["engine.worker.attempt", "engine.worker.recorder", "engine.worker.__main__"]
LAST = 300  # bytes of a journal
WRITERS, READERS = 8, 2
_NOBODY = 2**22 + 1  # above all process numbers
processes = get_context("forkserver")


@dataclass(slots=True)
class Tally:
    """`held` counts attacks by how they were held."""

    part: str
    tried: int = 0
    held: Counter[str] = field(default_factory=Counter[str])
    missed: list[str] = field(default_factory=list[str])

    def note(self, how: str, missed: str = "") -> None:
        self.tried += 1
        if missed:
            self.missed.append(missed)
        else:
            self.held[how] += 1

    def __str__(self) -> str:
        ways = ", ".join(f"{count} {how}" for how, count in self.held.most_common())
        lines = [f"{self.part}: {self.tried} tried, {self.held.total()} held ({ways})"]
        return "\n".join([*lines, *(f"  NOT HELD {one}" for one in self.missed)])


# --- kill -9 -----------------------------------------------------------------------------------------------------


def kills(folder: Path, options: argparse.Namespace) -> Tally:
    """Killed at any moment while another process holds the database by turns: a worker with the demo model, a merge of
    whole journals, one that writes a journal and merges it. Held, if every cell that it said was written, or that its
    journal had, is in the database once in the end, and every run of a worker could be finished.
    """
    dice = random.Random(options.seed)
    database, runs = folder / "results.duckdb", folder / "results.runs"
    tally = Tally("kill -9 while another process holds the database by turns")
    unfinished: RunDir | None = None
    written: Cells = Counter()
    with holder(database) as is_held:
        while tally.tried < options.kills:
            turn, said = tally.tried, folder / "said.txt"
            if turn < options.workers:
                kind, longest = "a worker", 4.0
                if unfinished is None or unfinished.state() is RunState.FINISHED:
                    unfinished = new_run(database)
                run = unfinished.path
                process = begin(work, run, folder / "worker.log")
            elif turn % 2:
                kind, longest = "a merge", 0.5
                run = prepared(runs, turn)
                process = begin(merge_all, database, runs)
            else:
                kind, longest = "one that writes and merges", 0.6
                run = runs / f"written-{turn % 3}"
                process = begin(write, database, run, said)
            process.join(dice.uniform(0.03, longest))
            while_held = ", the database held" if is_held() else ""
            process.kill()
            process.join()
            if process.exitcode == -signal.SIGKILL:
                tally.note(f"{kind}{while_held}")
            elif process.exitcode != 0:  # else it had ended before
                tally.note("", f"{kind} ended of itself, with {process.exitcode}")
            if said.exists():
                lines = [json.loads(line) for line in said.read_text().splitlines(keepends=True) if line[-1] == "\n"]
                written += Counter((name, task) for name, task in lines)
                said.unlink()
            written |= cells_in(run)
    if unfinished is not None:
        process = begin(work, unfinished.path, folder / "worker.log")
        process.join(120)
        if unfinished.state() is not RunState.FINISHED:
            tally.missed.append(f"the last worker's run could not be finished: it is {unfinished.state()}")
    found = Count("kills")
    found.check(database, runs, written | in_journals(runs))
    if found.lost or found.doubled:
        tally.missed.append(f"{found.lost} rows lost, {found.doubled} doubled")
    theirs = {path.parent.name for path in runs.glob("*/plan.json")}
    of_workers = sum(count for (name, _), count in (written | in_journals(runs)).items() if name in theirs)
    print(
        f"  {found.written:,} cells were written, {of_workers} by workers; {found.lost} lost, {found.doubled} doubled"
    )
    return tally


def cells_in(run: Path) -> Cells:
    path = run / "journal.jsonl"
    events = journal.read(path)[0] if path.exists() else []
    return Counter((run.name, cell.task) for cell in of_kind(events, CellFacts))


def prepared(runs: Path, turn: int) -> Path:
    """Six more runs for a merge; the last of them."""
    made = [runs / f"prepared-{turn}-{number}-{time.monotonic_ns()}" for number in range(6)]
    for run in made:
        writer = writers.begin(run)
        for task in range(10):
            writers.cell(writer, f"t{task}")
        writer.close()
    return made[-1]


def new_run(database: Path) -> RunDir:
    tasks = (TaskSpec("demo_sums"), TaskSpec("demo_grammar"))
    plan = RunPlan(name="demo", model=DEMO_MODEL, levels=tuple(parse_levels("0,40")), tasks=tasks, limit=2)
    return RunDir.create(run_folders.root(database), plan, database)


def work(run: Path, log: Path) -> None:
    from engine.worker.__main__ import main

    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(main(str(run)))


def write(database: Path, run: Path, said: Path) -> None:
    with said.open("a") as file:
        os.dup2(file.fileno(), 1)
    writers.write(database, run, 10_000)


def merge_all(database: Path, runs: Path) -> None:
    with suppress(DatabaseBusyError):
        merge.merge_all(database, runs, wait=2.0)


@contextmanager
def holder(database: Path) -> Iterator[Callable[[], bool]]:
    """A process that has the file open for reading, lets it go for a moment, and opens it again."""
    held = processes.Value("b", False)
    process = begin(hold_by_turns, database, held)
    try:
        yield lambda: bool(held.value)
    finally:
        process.kill()
        process.join()


def hold_by_turns(database: Path, held: Any) -> None:
    while True:
        with suppress(UserError, duckdb.Error, FileNotFoundError), db.open_read(database, wait=0.2):
            held.value = True
            time.sleep(0.5)
        held.value = False
        time.sleep(0.15)


def begin(what: Callable[..., None], *arguments: object) -> BaseProcess:
    process = processes.Process(target=what, args=arguments, daemon=True)
    process.start()
    return process


# --- damage ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """A run's journal, and an open database that has all of it but for its last `LAST` bytes and a little more."""

    run: Path
    lines: list[bytes]
    con: duckdb.DuckDBPyConnection

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Iterator[Whole]:
        run, database = folder / "results.runs" / "r0", folder / "results.duckdb"
        writer = writers.begin(run)
        for number in range(12):
            writers.cell(writer, f"t{number}", value=0.1 + number / 17)
        writer.close()
        path = run / "journal.jsonl"
        content = path.read_bytes()
        lines = content.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: content[:-LAST].count(b"\n")]))
        merge.merge_run(database, run)
        with db.open_write(database) as con:
            yield cls(run, lines, con)

    def judged(self, content: bytes) -> tuple[str, str]:
        """How a changed journal was held, or what was not: as it is read, and as the rest of it would be merged."""
        path = self.run / "journal.jsonl"
        path.write_bytes(content)
        whole, before = [journal.parse_line(line) for line in self.lines], self.scores()
        try:
            events = journal.read(path)[0]
            how = "read as they were" if events == whole else "taken for a last line that a crash cut off"
            if events not in (whole, whole[:-1]):
                return "", "other events were read"
        except JournalError as error:
            how = "refused, naming the line"
            if f"line {error.line} " not in str(error) or "\n" in str(error):
                return "", f"refused with {error}"
        with suppress(JournalError):
            position = journal_sync.positions(self.con)[self.run.name]
            new = journal_sync.new_events(self.con, self.run.name, path, position)
            if any(event not in whole for event in new.events):
                return "", "other events would be merged"
        return (how, "") if self.scores() == before else ("", "what had been merged is another")

    def scores(self) -> list[tuple[Any, ...]]:
        return self.con.execute("select seq, level, task, metric, value, n from metrics order by all").fetchall()


def flips(folder: Path, options: argparse.Namespace) -> Tally:
    """Each of a journal's last bytes, with its lowest and with its highest bit turned. Held, if the line is named, or
    what is read and merged is what was written, perhaps without the last event.
    """
    tally = Tally(f"each of a journal's last {LAST} bytes flipped, ^0x01 and ^0x80")
    with Whole.of(folder) as whole:
        content = b"".join(whole.lines)
        for place, pattern in product(range(len(content) - LAST, len(content)), (0x01, 0x80)):
            flipped = bytearray(content)
            flipped[place] ^= pattern
            how, missed = whole.judged(bytes(flipped))
            tally.note(how, missed and f"byte {place} ^ {pattern:#04x}: {missed}")
    return tally


def lines(folder: Path, options: argparse.Namespace) -> Tally:
    """Each line of a journal taken out, each two neighbours swapped, each line twice. Held as above: the last line may
    be gone without a word, and the run is then one that was interrupted before it.
    """
    tally = Tally("each line of a journal deleted, swapped with the next, repeated")
    with Whole.of(folder) as whole:
        for place, line in enumerate(whole.lines):
            before, after = whole.lines[:place], whole.lines[place + 1 :]
            damaged = {"deleted": [*before, *after], "repeated": [*before, line, line, *after]}
            if after:
                damaged["swapped"] = [*before, after[0], line, *after[1:]]
            for name, changed in damaged.items():
                how, missed = whole.judged(b"".join(changed))
                if how.startswith("taken") and name == "deleted" and not after:
                    how = "the last line gone, as if the run had been interrupted before it"
                elif not missed and not how.startswith("refused"):
                    missed = how
                tally.note(how, missed and f"line {place + 1} {name}: {missed}")
    return tally


# --- clocks and process numbers ----------------------------------------------------------------------------------


def clocks(folder: Path, options: argparse.Namespace) -> Tally:
    """Up to a year forward or back before each event. Held, if every event is merged once, and the latest by number
    counts.
    """
    tally = Tally("clock jumps of up to a year, a merge after each event")
    found = ages.clock_back(folder, 8, random.Random(options.seed))
    for _ in range(found.written - found.lost - found.doubled):
        tally.note("merged once")
    for _ in range(found.lost + found.doubled):
        tally.note("", "an event lost or doubled")
    return tally


def numbers(folder: Path, options: argparse.Namespace) -> Tally:
    """What a dead worker left names a process that lives and is another one. Held, if the run is interrupted, can be
    taken up, and `stop` refuses in a sentence and leaves the stranger alone.
    """
    tally = Tally("process numbers used again after a reboot, in run.lock and start.json")
    stranger = begin(time.sleep, 600)
    pid, host = stranger.pid, os.uname().nodename
    assert pid is not None
    true_start = Start.of(pid, turns=0, log_size=0).created
    locks = {
        "another process": lock_of(pid, host),
        "this process": lock_of(os.getpid(), host),
        "the first process": lock_of(1, host),
        "no process": lock_of(_NOBODY, host),
        "every process": lock_of(-1, host),
        "a process of another machine": lock_of(pid, "elsewhere"),
        "nothing": "",
        "bytes": "\0\0",
        "a number": "7",
    }
    start = {"pid": pid, "created": true_start, "host": host, "turns": 0, "log_size": 0}
    starts = {
        "another process": start | {"created": true_start - 3600},
        "one of its number on another machine": start | {"host": "elsewhere"},
        "no process": start | {"pid": _NOBODY},
        "the first process": start | {"pid": 1},
        "a process begun in the future": start | {"created": true_start + 1e7},
    }
    for name, text in locks.items():
        run = attempted(folder)
        run.lock_path.write_text(text)
        tally.note("run.lock", missed_by(run, stranger, f"run.lock names {name}"))
    for name, told in starts.items():
        run = new_run(folder / "results.duckdb")
        launch_record.write(run.path, Start(**told))
        tally.note("start.json", missed_by(run, stranger, f"start.json names {name}"))
    for text in (
        "",
        "7",
        "[]",
        "{}",
        lock_of(-1, host),
        lock_of(0, host),
    ):  # of a worker that lives: somebody wrote over it
        run = attempted(folder)
        with run.lock_path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text)
            file.flush()
            tally.note("run.lock of a living worker", unheard_of(run, text))
    stranger.kill()
    stranger.join()
    return tally


def lock_of(pid: int, host: str) -> str:
    return json.dumps({"pid": pid, "host": host})


def attempted(folder: Path) -> RunDir:
    """A run whose worker died at work."""
    run = new_run(folder / "results.duckdb")
    writers.begin(run.path).close()
    return run


def missed_by(run: RunDir, stranger: BaseProcess, what: str) -> str:
    state = run.state()
    if state not in (RunState.INTERRUPTED, RunState.QUEUED):
        return f"{what}: it is {state}"
    try:
        stopping.ask(run)
        return f"{what}: it was stopped"
    except UserError:
        pass
    if not stranger.is_alive():
        return f"{what}: the stranger is gone"
    try:
        with runlock.hold(run.lock_path):
            pass
    except UserError as error:
        return f"{what}: {error}"
    start = run.unanswered(run.turns())
    return f"{what}: no other worker could be started" if start is not None and start.is_alive() else ""


def unheard_of(run: RunDir, text: str) -> str:
    """The run is held, and who holds it cannot be told: a sentence, and nobody is killed."""
    try:
        stopping.ask(run)
        return f"run.lock says {text!r}: it was stopped"
    except UserError:
        pass
    except Exception as error:
        return f"run.lock says {text!r}: {type(error).__name__}: {error}"
    try:
        launch.start(run)
        return f"run.lock says {text!r}: a second worker was started"
    except UserError:
        return ""


# --- many at once ------------------------------------------------------------------------------------------------


def together(folder: Path, options: argparse.Namespace) -> Tally:
    """Eight processes write and merge into one database, and two read it as a dashboard does. Held by a writer, if all
    that it said was written is in the database once; by a reader, if it came to know all runs and had no defect.
    """
    tally = Tally(f"{WRITERS} writers and {READERS} dashboards' readers at one database")
    database = folder / "results.duckdb"
    runs = [new_run(database) for _ in range(WRITERS)]
    readers = [begin(read, database, folder / f"read-{number}.json") for number in range(READERS)]
    at_work = [begin(write_all, database, run.path, folder / f"{run.run_id}.txt") for run in runs]
    everything: Cells = Counter()
    for run, process in zip(runs, at_work, strict=True):
        process.join(120)
        said = [json.loads(line) for line in (folder / f"{run.run_id}.txt").read_text().splitlines()]
        everything += Counter((name, task) for name, task in said)
        whole = process.exitcode == 0 and len(said) == writers.CELLS_OF_WRITER
        tally.note("writers", "" if whole else f"{run.run_id} wrote {len(said)} cells, exit {process.exitcode}")
    time.sleep(2.0)  # in which a reader looks once more
    for number, process in enumerate(readers):
        problems, known = json.loads((folder / f"read-{number}.json").read_text())
        wrong = [one for one in problems if "cannot be followed" in one or "\n" in one]
        process.kill()
        process.join()
        fine = not wrong and known == len(runs)
        tally.note("readers", "" if fine else f"reader {number} knew {known} runs: {wrong}")
    found = Count("together")
    found.check(database, database.with_suffix(".runs"), everything)
    if found.lost or found.doubled:
        tally.missed.append(f"{found.lost} rows lost, {found.doubled} doubled")
    print(f"  {found.written:,} cells were written, {found.lost} lost, {found.doubled} doubled")
    return tally


def write_all(database: Path, run: Path, said: Path) -> None:
    with said.open("a") as file:
        os.dup2(file.fileno(), 1)
    writers.write(database, run, writers.CELLS_OF_WRITER)


def read(database: Path, said: Path) -> None:
    """What a dashboard's feed knows, until killed: the problems it has met, and how many runs it lists."""
    feed = Feed(database)
    feed.start()
    problems: set[str] = set()
    while True:
        snapshot = feed.snapshot
        problems |= {snapshot.problem} if snapshot.problem else set()
        problems |= {f"cannot be followed: {row.note}" for row in snapshot.runs if row.state == "damaged"}
        draft = said.with_suffix(".draft")
        draft.write_text(json.dumps([sorted(problems), len(snapshot.runs)]))
        draft.replace(said)
        time.sleep(0.2)


PARTS = (kills, flips, lines, clocks, numbers, together)


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack runs, and count what held.")
    parser.add_argument("parts", nargs="*", help=", ".join(part.__name__ for part in PARTS))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=20, help="how many of the kills are of a worker")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    chosen = [part for part in PARTS if not options.parts or part.__name__ in options.parts]
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    set_forkserver_preload([*PRELOADED, *(OF_WORKERS if kills in chosen and options.workers else [])])
    tried, held = 0, 0
    for part in chosen:
        folder = Path(tempfile.mkdtemp())
        started_at = time.monotonic()
        tally = part(folder, options)
        tried, held = tried + tally.tried, held + tally.tried - len(tally.missed)
        print(f"{tally}\n  {time.monotonic() - started_at:.0f} s", flush=True)
        shutil.rmtree(folder)
    print(f"\n{tried} tried, {held} held.")
    return held != tried


if __name__ == "__main__":
    sys.exit(main())
