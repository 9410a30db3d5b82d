"""What a worker that is kept for the next run of its model saves, and whether the results are the same.

    python benchmarks/kept_workers.py [MODEL] [METHODS] [REPAIRS] [TASKS] [LIMIT] [compile]

A run for each method and repair (demo, maw,l2,wanda, none,lsq, demo_story,demo_facts,demo_grammar, 40), first each in a
process of its own, then all by one `Keeper`. Prints of each run the seconds from its start to its first cell and to its
end, of both ways the seconds, the processor seconds and the processes, and whether every cell, and every answer to a
document, is the same to the last bit. Exit code 1: they are not.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.keeping import Keeper, Process
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Attempt, of_kind
from warehouse.records.facts import CellFacts
from warehouse.records.level import parse_levels

COMPILES = "compile" in sys.argv
GIVEN = [word for word in sys.argv[1:] if word != "compile"]
USUAL = ["demo", "maw,l2,wanda", "none,lsq", "demo_story,demo_facts,demo_grammar", "40"]
MODEL, METHODS, REPAIRS, TASKS, LIMIT = [*GIVEN, *USUAL[len(GIVEN) :]]


def plans() -> list[RunPlan]:
    tasks = tuple(TaskSpec.parse(task) for task in TASKS.split(","))
    limit = None if LIMIT == "all" else float(LIMIT)
    first = RunPlan(
        name="", model=MODEL, levels=tuple(parse_levels("0,40")), tasks=tasks, limit=limit, compile_layers=COMPILES
    )
    return [
        replace(first, name=f"{method} {repair}", method=method, repair=repair)
        for method in METHODS.split(",")
        for repair in REPAIRS.split(",")
    ]


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def carry_out(folder: Path, start: Callable[[RunDir], Process], close: Callable[[], None]) -> list[RunDir]:
    """One after another, and a line for each and one for all."""
    database = folder / "results.duckdb"
    runs = [RunDir.create(runs_root(database), plan, database) for plan in plans()]
    began, used = time.monotonic(), processor_seconds()
    for run in runs:
        asked = time.time()
        worker = start(run)
        while worker.poll() is None:
            time.sleep(0.01)
        if worker.returncode != launch.FINISHED:
            sys.exit(f"{run.plan.name} ended with {worker.returncode}: {launch.log_tail(run, 5)}")
        events = run.events()
        first = next(event.t for event in events if isinstance(event.data, CellFacts)) - asked
        print(f"  {run.plan.name:<14} first cell after {first:6.2f} s, done after {events[-1].t - asked:6.2f} s")
    close()
    processes = {attempt.pid for run in runs for attempt in of_kind(run.events(), Attempt)}
    print(
        f"  all: {time.monotonic() - began:.1f} s, {processor_seconds() - used:.1f} processor seconds, "
        f"{len(processes)} processes\n"
    )
    return runs


def results(runs: list[RunDir]) -> list[CellFacts]:
    return [
        replace(cell, seconds=0.0, samples="")
        for run in runs
        for cell in sorted(of_kind(run.events(), CellFacts), key=lambda cell: (cell.level, cell.task))
    ]


def main() -> int:
    keeper = Keeper()
    with tempfile.TemporaryDirectory() as folder:
        print("a process each")
        apart = carry_out(Path(folder) / "apart", launch.start, lambda: None)
        print("one process")
        together = carry_out(Path(folder) / "together", keeper.start, keeper.let_go)
        same = results(apart) == results(together)
        print(f"{len(results(together))} cells: {'the same to the last bit' if same else 'NOT the same'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
