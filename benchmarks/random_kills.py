"""So many random kills of a sweep on a Ray cluster, and what became of its rows.

    python benchmarks/random_kills.py [KILLS] [SEED] [steady]

A cluster of two nodes on this host, which are taken not to see the folder of runs, and the demo model at four levels
with five methods (two with `steady`), so that places keep their workers for a next piece. At random moments something
is killed with SIGKILL: a worker, a node with all that is on it (another one joins in its place), or the driver
(`resume` takes over). When a sweep has ended, its cells are held against those of a plain run, numbers and sample
hashes alike, and its rows in the database are counted; then another one begins, until there were so many kills. Prints
a line for each.

With `steady` a worker without a model does the work, which writes the same cells and samples each time, and starts in a
second: more is killed in less time, and all but the measuring is as ever.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
SUPPORT = ROOT / "tests" / "support"
sys.path.insert(0, str(SUPPORT))

from ray_nodes import Nodes  # noqa: E402

from engine.runs.rundir import RunDir  # noqa: E402
from warehouse.records.events import Attempt, of_kind  # noqa: E402
from warehouse.records.facts import CellFacts  # noqa: E402
from warehouse.records.run_state import RunState  # noqa: E402

STEADY = "steady" in sys.argv
METHODS = "maw,l2" if STEADY else "maw,l2,pon,random,vow"
SWEEP = ("demo", "--method", METHODS, "--levels", "0,10,20,30,40,50,60" if STEADY else "0,20,40,60")
TASKS = ("--tasks", ",".join(("demo_story", "demo_grammar", "demo_sums", "demo_lambada")[: 4 if STEADY else 2]))
PAUSE = (2.0, 12.0) if STEADY else (5.0, 45.0)  # seconds between two kills
Cell = tuple[str, str, str]


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    program = [str(SUPPORT / "carried_by_ray.py")] if STEADY or "--on" in words else ["-P", "-m", "prune_tui"]
    with (folder / "driver.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *program, *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, env={**os.environ, "PYTHONPATH": str(ROOT), "STEADY_WORKER": "1" if STEADY else ""},
        )  # fmt: skip


def runs(folder: Path) -> list[RunDir]:
    return [RunDir(path.parent) for path in sorted((folder / "results.runs").glob("*/plan.json"))]


def cells(folder: Path) -> list[Cell]:
    return sorted(
        (f"{run.plan.method} {cell.level}", cell.task, f"{cell.metrics} {_samples(run, cell)}")
        for run in runs(folder)
        for cell in of_kind(run.events(), CellFacts)
    )


def _samples(run: RunDir, cell: CellFacts) -> str | None:
    """Their hash as they lie there, where that is what the journal says; the steady worker's have to be there."""
    if not STEADY:
        there = (run.path / str(cell.samples)).read_bytes()
        return cell.samples_hash if sha256(there).hexdigest() == cell.samples_hash else "damaged"
    found = {sha256(path.read_bytes()).hexdigest() for path in run.samples_dir.glob(f"{cell.level}-{cell.task}-*")}
    return found.pop() if len(found) == 1 else "damaged"


def kept(folder: Path) -> str:
    """How many attempts were made by a process that had worked on another piece."""
    attempts = [attempt.pid for run in runs(folder) for attempt in of_kind(run.events(), Attempt)]
    return f"{len(attempts) - len(set(attempts))} of {len(attempts)} attempts in a worker that was kept"


def verdict(folder: Path, expected: list[Cell]) -> tuple[int, int]:
    """Rows that are lost, and that are doubled or other than they should be, in the journals and in the database."""
    found = cells(folder)
    with duckdb.connect(folder / "results.duckdb", read_only=True) as con:
        [(count,)] = con.sql("select count(*) from cells").fetchall()
    lost = len(set(expected) - set(found)) + max(0, len(expected) - count)
    return lost, len(found) - len(set(found) & set(expected)) + max(0, count - len(expected))


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    with tempfile.TemporaryDirectory() as text:
        home = Path(text)
        single = home / "single"
        single.mkdir()
        assert start(single, "run", *SWEEP, *TASKS).wait() == 0
        expected = cells(single)
        nodes = Nodes(home / "nodes")
        try:
            names = iter(range(10_000))
            for _ in range(2):
                nodes.join(f"node{next(names)}")
            _all(kills, draw, home, nodes, names, expected)
        finally:
            nodes.shutdown()


def _all(kills: int, draw: random.Random, home: Path, nodes: Nodes, names, expected: list[Cell]) -> None:
    done, sweeps, lost, doubled, began = 0, 0, 0, 0, time.monotonic()
    while done < kills:
        folder = home / f"sweep{sweeps}"
        folder.mkdir()
        driver = start(folder, "run", *SWEEP, *TASKS, "--on", nodes.address)
        while True:
            try:
                driver.wait(draw.uniform(*PAUSE))
            except subprocess.TimeoutExpired:
                if done < kills and runs(folder):
                    what = _kill(draw, nodes, names, driver)
                    done += what is not None
                    if what is not None:
                        print(f"{done:3} at {time.monotonic() - began:5.0f} s: {what} is killed", flush=True)
                if driver.poll() is None:
                    continue
            if all(run.state() == RunState.FINISHED for run in runs(folder)) and driver.poll() == 0:
                break
            driver = start(folder, "resume", runs(folder)[0].sweep or "", "--on", nodes.address)
        sweeps += 1
        one, other = verdict(folder, expected)
        lost, doubled = lost + one, doubled + other
        told = f"{len(cells(folder))} cells, {one} lost, {other} doubled or changed; {kept(folder)}"
        print(f"sweep {sweeps}: {told}", flush=True)
    print(f"{done} kills in {sweeps} sweeps: {lost} rows lost, {doubled} doubled", flush=True)


def _kill(draw: random.Random, nodes: Nodes, names, driver: subprocess.Popen[bytes]) -> str | None:
    match draw.choice(["worker", "worker", "node", "driver"]):
        case "worker":
            return "a worker" if nodes.kill_worker(draw.choice(list(nodes.nodes))) else None
        case "node":
            gone = draw.choice(list(nodes.nodes))
            nodes.kill(gone)
            nodes.join(f"node{next(names)}")
            return f"a node ({gone})"
        case _:
            os.kill(driver.pid, signal.SIGKILL)
            driver.wait()
            return "the driver"


if __name__ == "__main__":
    main()
