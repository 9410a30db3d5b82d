"""Disks that are full, folders that only read, and a log that was left over: what the command line makes of them.

    python benchmarks/attack_disk.py [FOLDER]

A run of the demo model meets a disk of 20 sizes (a tmpfs where the machine lets us mount one, else a limit on the size
of files). It holds if the exit code is 2, or 1 with the run kept, no defect is spoken of, and with more room `resume`
leaves every cell in the database; or if the run ends well, with every cell there. Needs some fifteen minutes.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

SIZES = (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 256, 1024, 2048, 4096, 6144, 8192, 12288, 16384)  # KiB
RUN = ("run", "demo", "--tasks", "demo_sums,demo_lambada", "--levels", "0,40", "--limit", "12", "--plain")
CELLS = 4
_ROOMY = 64 << 10  # KiB
_DEFECT = ("Traceback", "defect", "no word why", "without saying why")


@dataclass(frozen=True)
class Outcome:
    """What one attack came to; `why` is empty if it held."""

    attack: str
    code: int
    said: str
    why: str


def main(folder: Path) -> None:
    attacks = [partial(full, size=size) for size in SIZES]
    attacks += [read_only_folder, read_only_export, leftover_log, junk_for_a_log, log_of_another]
    outcomes: list[Outcome] = []
    for attack in attacks:
        one = attack(folder)
        outcomes.append(one)
        word = "FAILED" if one.why else "held"
        print(f"{word:<7}{one.attack:<38}rc {one.code}  {one.why or one.said}", flush=True)
    held = sum(not one.why for one in outcomes)
    print(f"tried {len(outcomes)}, held {held}")
    sys.exit(held < len(outcomes))


def full(folder: Path, size: int) -> Outcome:
    attack = f"a disk of {size} KiB"
    with small_disk(folder / f"disk-{size}", size) as (disk, limit, roomy):
        done = prune_tui(*RUN, cwd=disk, limit=limit)
        problems = faults(done)
        kept = list((disk / "results.runs").glob("*/plan.json"))
        if done.returncode == 0:
            problems += [] if cells(disk) == CELLS else [f"rc 0 and {cells(disk)} cells in the database"]
        elif done.returncode == 1 and not kept:
            problems.append("rc 1 and the run is gone")
        elif done.returncode not in (1, 2):
            problems.append(f"rc {done.returncode}")
        if not problems and kept:
            roomy()
            again = prune_tui("resume", "latest", "--plain", cwd=disk)
            problems += [f"resumed: {one}" for one in faults(again)]
            if again.returncode or cells(disk) != CELLS:
                problems.append(f"resumed: rc {again.returncode}, {cells(disk)} cells: {last(again)}")
        return Outcome(attack, done.returncode, last(done), "; ".join(problems))


def read_only_folder(folder: Path) -> Outcome:
    with small_disk(folder / "read-only", _ROOMY) as (disk, _, roomy):
        roomy("ro")
        return judged("run in a folder that only reads", prune_tui(*RUN, cwd=disk), says="No permission")


def read_only_export(folder: Path) -> Outcome:
    with small_disk(folder / "read-only-export", _ROOMY) as (disk, _, roomy):
        prune_tui("import", "published", cwd=disk)
        roomy("ro")
        export = ("export", "deltas", "--model", "Llama-3.2-1B", "-o", "t.csv")
        return judged("export into a folder that only reads", prune_tui(*export, cwd=disk), says="No permission")


def leftover_log(folder: Path) -> Outcome:
    here = folder / "leftover"
    here.mkdir()
    (here / "results.duckdb.wal").write_bytes(os.urandom(4096))
    return judged("a log without its database", prune_tui("import", "published", cwd=here), says="but its log")


def junk_for_a_log(folder: Path) -> Outcome:
    """DuckDB passes over what is no log: the answer must be the one without it."""
    here, before = published(folder / "junk")
    answer = prune_tui("rules", cwd=here).stdout
    (here / "results.duckdb.wal").write_bytes(b"no log at all" + os.urandom(4096))
    done = prune_tui("rules", cwd=here)
    same = done.returncode == 0 and done.stdout == answer and (here / "results.duckdb").read_bytes() == before
    return Outcome("a database beside junk for a log", done.returncode, last(done), "" if same else "other answers")


def log_of_another(folder: Path) -> Outcome:
    here, before = published(folder / "another")
    other = here / "other.duckdb"
    for statement in ("create table metrics (value double)", "insert into metrics values (1)"):
        with duckdb.connect(other) as con:
            con.execute("pragma disable_checkpoint_on_shutdown")
            con.execute(statement)
    (here / "other.duckdb.wal").rename(here / "results.duckdb.wal")
    outcome = judged("a database with another's log", prune_tui("merge", cwd=here), says="")
    if outcome.why or (here / "results.duckdb").read_bytes() == before:
        return outcome
    return Outcome(outcome.attack, outcome.code, outcome.said, "the database was changed")


def published(here: Path) -> tuple[Path, bytes]:
    here.mkdir()
    prune_tui("import", "published", cwd=here)
    return here, (here / "results.duckdb").read_bytes()


def judged(attack: str, done: subprocess.CompletedProcess[str], *, says: str) -> Outcome:
    problems = faults(done)
    if done.returncode != 2 or says not in done.stderr:
        problems.append(f"rc {done.returncode}: {last(done)}")
    return Outcome(attack, done.returncode, last(done), "; ".join(problems))


def faults(done: subprocess.CompletedProcess[str]) -> list[str]:
    problems = [f"it speaks of: {word}" for word in _DEFECT if word in done.stdout + done.stderr]
    if done.returncode and not done.stderr.strip():
        problems.append("it says nothing")
    return problems


def last(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip().splitlines() or [""])[-1]


def cells(disk: Path) -> int:
    if not (disk / "results.duckdb").exists():
        return 0
    with duckdb.connect(disk / "results.duckdb", read_only=True) as con:
        return con.execute("select count(*) from cells").fetchall()[0][0]


def prune_tui(*arguments: str, cwd: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """`limit` bounds every file that it and its worker write, in bytes."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        ["prune-tui", *arguments], cwd=cwd, capture_output=True, text=True, timeout=600, preexec_fn=bound,
        env={name: value for name, value in os.environ.items() if name != "PRUNE_TUI_DB"}
        | {"PYTHONDONTWRITEBYTECODE": "1"},  # else what it compiles is cut off by the limit, and stays so
    )  # fmt: skip


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[tuple[Path, int | None, Callable[..., None]]]:
    """A disk of so many KiB, the limit on files that stands for it where none can be mounted, and what gives it room
    or, told "ro", lets it only read."""
    folder.mkdir()
    options = f"size={size}k"
    if os.geteuid() or subprocess.run(mount(options, folder), capture_output=True).returncode:
        yield folder, size << 10, lambda how="": folder.chmod(0o555 if how == "ro" else 0o755)
        return
    try:
        yield folder, None, partial(remount, folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str = "rw") -> None:
    subprocess.run(mount(f"remount,{how},size={_ROOMY}k", folder), check=True)


def mount(options: str, folder: Path) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(scratch))
