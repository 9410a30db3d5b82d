"""What the warehouse survives: writers at once, kills, cuts, full disks, wrong clocks; rows lost and doubled.

Run: python benchmarks/torture.py [ROUNDS [NAME...]], where a name is a torment's, as `killed`; all without one.
docs/torture.md has what it found.

Each torment writes runs through the program's own journal and merge, in processes of their own where they are to
die, and then looks at the warehouse. A row counts as written once the journal said so (`append` came back); it is
lost if no merge brings it, doubled if the warehouse has it twice. Both have to be 0. The tests run the same torments,
for fewer rounds.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import duckdb

from engine import runlock
from engine.errors import RunBusyError
from warehouse import db, journal, merge
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.journal import Journal

CELLS_OF_WRITER = 40
FIRST_RELEASE = Path(__file__).parents[1] / "tests" / "warehouse" / "schema_0001.duckdb.gz"


@dataclass(slots=True)
class Count:
    """What a torment did and found. `refused` counts polite refusals: sentences, where a program could have died."""

    torment: str
    rounds: int = 0
    written: int = 0
    lost: int = 0
    doubled: int = 0
    refused: int = 0

    def check(self, database: Path, runs: Path, acknowledged: Counter[tuple[str, str]]) -> None:
        """Merge what waits, then compare cells in the warehouse with those that were acknowledged."""
        merge.merge_all(database, runs, wait=60)
        with db.open_read(database, wait=60) as con:
            cells = Counter(con.execute("select run_id, task from cells").fetchall())
            metrics = Counter(con.execute("select run_id, task from metrics").fetchall())
        self.written += acknowledged.total()
        for found in (cells, metrics):
            self.lost += (acknowledged - found).total()
            self.doubled += (found - acknowledged).total() - len(found.keys() - acknowledged.keys())


# Processes that write, and may die of it


def begin(run: Path) -> Journal:
    """Take a run up as a worker does: a plan the first time, a further attempt each time."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "journal.jsonl"
    known = journal.read(path)[0] if path.exists() else []
    writer = Journal(path)
    if not any(event.kind == "plan" for event in known):
        writer.append("plan", plan={"name": run.name, "method": "maw"}, conditions="c", dtype="float32")
    number = 1 + sum(event.kind == "attempt" for event in known)
    writer.append("attempt", attempt=number, pid=os.getpid(), host="here", provenance={})
    return writer


def cell(writer: Journal, task: str, value: float = 0.5) -> None:
    score = {"metric": "acc", "filter": "none", "value": value, "stderr": 0.1, "n": 10, "higher_is_better": True}
    writer.append(
        "cell", level="0", task=task, part_of=None, is_group=False, version="1", num_fewshot=0, seconds=1.0,
        samples=None, metrics=[score],
    )  # fmt: skip


def write(database: Path, run: Path, cells: int) -> None:
    """A worker in short: each cell into the journal, said on standard output once it is there, then merged."""
    writer = begin(run)
    for _ in range(cells):
        task = f"t{writer.append('cell_started', level='0', task='next')}-{os.getpid()}"
        cell(writer, task)
        print(json.dumps([run.name, task]), flush=True)
        writer.append("log", level_name="info", message="not waited for")
        with suppress(DatabaseBusyError):  # as a worker: the journal has it
            merge.merge_run(database, run)


def write_until_full(database: Path, run: Path, room: int) -> None:
    """The same on a disk on which no file may grow beyond `room` bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    try:
        write(database, run, CELLS_OF_WRITER)
    except UserError as error:
        print(json.dumps(["refused", str(error)]), flush=True)


def write_at_every_limit(folder: Path, run: Path, limits: int) -> None:
    """The disk full at each byte of an event in turn, then at `limits` sizes of a new database; room after each."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = begin(run)
    start = writer.path.stat().st_size
    cell(writer, "first")
    print(json.dumps([run.name, "first"]), flush=True)
    for room in range(writer.path.stat().st_size - start):
        task = f"at-{room}"
        with files_limited_to(writer.path.stat().st_size + room):
            try:
                cell(writer, task)
            except UserError:
                print(json.dumps(["refused", task]), flush=True)
                task = f"after-{room}"
        if task.startswith("after"):
            cell(writer, task)
        print(json.dumps([run.name, task]), flush=True)
    whole = folder / "whole.duckdb"
    merge.merge_run(whole, run)
    for number in range(limits):
        with files_limited_to(whole.stat().st_size * number // limits):
            try:
                merge.merge_run(folder / f"limit-{number}.duckdb", run)
            except UserError as error:
                print(json.dumps(["refused", str(error)]), flush=True)


@contextmanager
def files_limited_to(room: int) -> Iterator[None]:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def write_alone(database: Path, run: Path) -> None:
    """The same with the run's lock, which another process may have."""
    try:
        with runlock.hold(run / "run.lock"):
            write(database, run, CELLS_OF_WRITER)
    except RunBusyError as error:
        print(json.dumps(["refused", str(error)]), flush=True)


def bring_up_to_date(database: Path) -> None:
    """Opening an older file does; said once the file is ready."""
    with db.open_write(database, wait=60):
        print(json.dumps(["opened", database.name]), flush=True)


def start(what: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, what, *map(str, arguments)]
    where = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=where)


def said(process: subprocess.Popen[str]) -> list[list[str]]:
    """What a writer acknowledged; its last line may be torn, and then says nothing."""
    assert process.stdout is not None
    return [json.loads(line) for line in process.stdout if line.endswith("]\n")]


def finish(process: subprocess.Popen[str], *, killed: bool = False) -> list[list[str]]:
    lines = said(process)
    error = process.communicate()[1]
    if process.returncode not in ((0, -signal.SIGKILL) if killed else (0,)):
        raise RuntimeError(f"a writer died of itself: {error}")
    return lines


def acknowledged(lines: list[list[str]]) -> Counter[tuple[str, str]]:
    return Counter((run, task) for run, task in lines if run != "refused")


# The torments


def many_writers(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("many runs writing at once, a reader in between")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        writers = [start("write", database, runs / f"r{turn}-{i}", CELLS_OF_WRITER) for i in range(6)]
        while any(writer.poll() is None for writer in writers):
            if database.exists():
                try:
                    with db.open_read(database, wait=0):
                        time.sleep(dice.uniform(0, 0.1))
                except DatabaseBusyError:
                    count.refused += 1
            time.sleep(dice.uniform(0, 0.05))
        for writer in writers:
            everything += acknowledged(finish(writer))
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def held_by_a_reader(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("a reader that never lets go while runs write")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        with db.open_write(database):
            pass
        with db.open_read(database):
            everything += acknowledged(finish(start("write", database, runs / f"r{turn}", CELLS_OF_WRITER)))
            try:
                with db.open_write(database):
                    pass
            except DatabaseBusyError:
                count.refused += 1
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def killed(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("kill -9 at any moment, then resumed")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        writer = start("write", database, runs / f"r{turn % 3}", 10_000)
        assert writer.stdout is not None
        lines = [json.loads(writer.stdout.readline()) for _ in range(dice.randrange(1, 12))]
        time.sleep(dice.uniform(0, 0.1))
        writer.kill()
        everything += acknowledged(lines + finish(writer, killed=True))
        count.rounds += 1
    extra = in_journals(runs) - everything  # written, and killed before it could be said
    count.check(database, runs, everything | extra)
    return count


def journal_cut(folder: Path, rounds: int, dice: random.Random) -> Count:
    """What was merged before the cut stays, what was not is as lost as the bytes, what comes after is there."""
    count = Count("journal cut at any byte after it was merged, then resumed")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    run, everything = runs / "r0", Counter[tuple[str, str]]()
    for turn in range(rounds):
        writer = begin(run)
        for number in range(dice.randrange(1, 8)):
            cell(writer, f"t{turn}-{number}")
            everything["r0", f"t{turn}-{number}"] += 1
            if dice.random() < 0.3:
                merge.merge_run(database, run)
        writer.close()
        merge.merge_run(database, run)
        path = run / "journal.jsonl"
        os.truncate(path, dice.randrange(path.stat().st_size // 2, path.stat().st_size + 1))
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def database_cut(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Cut the file or its log; where it can be read no more, do what the program says and make it anew."""
    count = Count("database, or its log, cut at any byte; made anew where it was refused")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    log = database.with_name("results.duckdb.wal")
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        writer = start("write", database, runs / f"r{turn}", 10_000)
        lines = []
        assert writer.stdout is not None
        for _ in range(dice.randrange(3, 12)):  # the first is said before there is a database
            lines.append(json.loads(writer.stdout.readline()))
        time.sleep(dice.uniform(0, 0.05))
        writer.kill()
        everything += acknowledged(lines + finish(writer, killed=True))
        victim = log if log.exists() and dice.random() < 0.5 else database
        os.truncate(victim, dice.randrange(victim.stat().st_size + 1))
        try:
            merge.merge_all(database, runs, wait=60)
            with db.open_read(database) as con:
                con.execute("select sum(value), count(distinct task) from metrics").fetchall()
        except UserError as error:
            count.refused += 1
            if "not a DuckDB database" not in str(error) and "makes the database anew" not in str(error):
                raise
            database.unlink()
            log.unlink(missing_ok=True)
        count.rounds += 1
    extra = in_journals(runs) - everything
    count.check(database, runs, everything | extra)
    return count


def disk_full(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("no file may grow beyond N bytes, for many N; then room again")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        # Journals of some KiB, a database that grows by blocks of 256 KiB: both kinds of limit.
        room = dice.randrange(200, 12_000) if turn % 2 else dice.randrange(12_000, 6_000_000)
        lines = finish(start("write_until_full", database, runs / f"r{turn}", room))
        everything += acknowledged(lines)
        count.refused += sum(run == "refused" for run, _ in lines)
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def disk_full_at_every_write(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Not at random: at each byte of a journal's line, and at sizes of the database from nothing to the whole."""
    count = Count("full at every byte of an event, and at 5 sizes a round of a new database; then room again")
    runs = folder / "results.runs"
    lines = finish(start("write_at_every_limit", folder, runs / "r0", 5 * rounds))
    count.refused = sum(run == "refused" for run, _ in lines)
    for number in range(5 * rounds):
        count.check(folder / f"limit-{number}.duckdb", runs, acknowledged(lines))
    count.rounds = rounds
    return count


def small_disk(folder: Path, rounds: int, dice: random.Random) -> Count:
    """A real one, where the machine lets us make it: a file system of a few MB in memory."""
    count = Count("a disk of 2 to 4 MB that is full; then room again")
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        with mounted(folder / "small", dice.randrange(2048, 4096)) as small:
            if small is None:
                return count
            database, runs = small / "results.duckdb", small / "results.runs"
            ballast = small / "ballast"
            process = start("write", database, runs / f"r{turn}", CELLS_OF_WRITER)
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            time.sleep(dice.uniform(0, 1.5))
            fill(ballast)
            lines = [first, *said(process)]
            error = process.communicate()[1]
            count.refused += "no room" in error or "is full" in error
            everything = acknowledged(lines)
            ballast.unlink()
            kept = folder / f"kept-{turn}"
            shutil.copytree(small, kept)
            count.check(kept / "results.duckdb", kept / "results.runs", everything | in_journals(runs))
        count.rounds += 1
    return count


def resumed_twice(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("three processes resuming one run: two lose")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    for turn in range(rounds):
        (runs / f"r{turn}").mkdir(parents=True)
        workers = [start("write_alone", database, runs / f"r{turn}") for _ in range(3)]
        lines = [line for worker in workers for line in finish(worker)]
        everything += acknowledged(lines)
        count.refused += sum("is being worked on by" in text for run, text in lines if run == "refused")
        attempts = [event for event in journal.read(runs / f"r{turn}" / "journal.jsonl")[0] if event.kind == "attempt"]
        if len(attempts) + sum(run == "refused" for run, _ in lines) != len(workers):
            raise RuntimeError(f"{len(attempts)} of {len(workers)} processes worked, the others said nothing")
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def older_file(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Killed while it is backed up and migrated: the rows are there afterwards, and in the backup."""
    count = Count("a file of the first release, kill -9 while it is brought up to date")
    for turn in range(rounds):
        database = folder / f"{turn}" / "results.duckdb"
        database.parent.mkdir()
        database.write_bytes(gzip.decompress(FIRST_RELEASE.read_bytes()))
        before = rows_of(database)
        process = start("bring_up_to_date", database)
        time.sleep(dice.uniform(0.15, 0.6))
        process.kill()
        finish(process, killed=True)
        with db.open_read(database, wait=60):
            pass
        backups = list(database.parent.glob("results.schema-1.backup*.duckdb"))
        for path in (database, *backups):
            found = rows_of(path)
            count.written += before.total()
            count.lost += (before - found).total()
            count.doubled += (found - before).total()
        if not backups:
            raise RuntimeError("an older file was migrated without a backup")
        count.rounds += 1
    return count


def rows_of(database: Path) -> Counter[tuple]:
    with duckdb.connect(database, read_only=True) as con:
        return Counter(con.execute("select run_id, seq, level, task, metric, value from metrics").fetchall())


def clock_back(folder: Path, rounds: int, dice: random.Random) -> Count:
    """It jumps by up to a year either way between events. Whatever was measured last in a run is what counts."""
    count = Count("clock going backwards and forwards within a run")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Counter[tuple[str, str]] = Counter()
    now = time.time()
    for turn in range(rounds):
        with patch.object(journal.time, "time", lambda: now + dice.uniform(-3e7, 3e7)):
            writer = begin(runs / f"r{turn}")
            width = {"level": "0", "method": "maw", "pruning_pct": 0.0, "intermediate_size": 100 + turn}
            writer.append("model", model="m", intermediate_size=100 + turn)
            writer.append("variant", **width)
            for number in range(10):
                cell(writer, "again", value=float(number))
                everything[f"r{turn}", "again"] += 1
                merge.merge_run(database, runs / f"r{turn}")
            writer.close()
        count.rounds += 1
    count.check(database, runs, everything)
    with db.open_read(database) as con:
        current = con.execute("select value from current_metrics").fetchall()
    if current != [(9.0,)] * rounds:
        raise RuntimeError(f"the last of ten values is 9, but {current} are current")
    return count


TORMENTS: tuple[Callable[[Path, int, random.Random], Count], ...] = (
    many_writers, held_by_a_reader, killed, journal_cut, database_cut, disk_full, disk_full_at_every_write, small_disk,
    resumed_twice, older_file, clock_back,
)  # fmt: skip


def in_journals(runs: Path) -> Counter[tuple[str, str]]:
    return Counter(
        (path.parent.name, event.data["task"])
        for path in runs.glob("*/journal.jsonl")
        for event in journal.read(path)[0]
        if event.kind == "cell"
    )


@contextmanager
def mounted(folder: Path, kibibytes: int) -> Iterator[Path | None]:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    try:
        with ballast.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
    except OSError:
        pass  # full, as it should be


def table(counts: list[Count], seed: int, seconds: float) -> str:
    lines = [
        "| what was done to it | rounds | rows written | lost | doubled | polite refusals |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for c in counts:
        lines.append(f"| {c.torment} | {c.rounds} | {c.written:,} | {c.lost} | {c.doubled} | {c.refused} |")
    lines.append(f"\nSeed {seed}, {seconds:.0f} s, DuckDB {duckdb.__version__}.")
    return "\n".join(lines)


def main() -> None:
    match sys.argv[1:]:
        case ["write", database, run, cells]:
            write(Path(database), Path(run), int(cells))
            return
        case ["write_until_full", database, run, room]:
            write_until_full(Path(database), Path(run), int(room))
            return
        case ["write_at_every_limit", folder, run, limits]:
            write_at_every_limit(Path(folder), Path(run), int(limits))
            return
        case ["write_alone", database, run]:
            write_alone(Path(database), Path(run))
            return
        case ["bring_up_to_date", database]:
            bring_up_to_date(Path(database))
            return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    named = sys.argv[2:]
    seed, started, counts = 7, time.monotonic(), []
    for torment in TORMENTS:
        if named and torment.__name__ not in named:
            continue
        with tempfile.TemporaryDirectory() as folder:
            counts.append(torment(Path(folder), rounds, random.Random(seed)))
            print(counts[-1], file=sys.stderr, flush=True)
    print(table(counts, seed, time.monotonic() - started))
    if any(count.lost or count.doubled for count in counts):
        sys.exit(1)


if __name__ == "__main__":
    main()
