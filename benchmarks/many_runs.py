"""Thousands of runs beside a database: what listing them and an idle dashboard cost.

    python benchmarks/many_runs.py [RUNS]

Prints the processor time of `prune-tui runs` without the index and with it, and the share of a core that a dashboard
takes while nothing happens. The runs are copies of the recording that ships, with ids of their own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from terminal import Terminal

from engine.runs.rundir import runs_root
from tui.runs.replay import RECORDING

COMMAND = [sys.executable, "-P", "-c", "from tui.cli import main; main()"]
IDLE = 20.0  # seconds of looking on


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "results.duckdb"
        fill(database, runs)
        journals = sum(path.stat().st_size for path in runs_root(database).glob("*/journal.jsonl"))
        print(f"{runs:,} runs, journals of {journals / 1e6:.0f} MB")
        say("runs, read anew", listed(database))
        say("runs, with the index", listed(database))
        say("runs --json, with the index", listed(database, "--json"))
        (runs_root(database) / ".index.json").write_text("doubtful")
        say("runs, the index damaged", listed(database))
        idle(database, runs)


def fill(database: Path, runs: int) -> None:
    record = json.loads((RECORDING / "plan.json").read_text())
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(runs):
        at = began + timedelta(minutes=number)
        run = runs_root(database) / f"{at:%Y%m%d-%H%M%S}-{number:07x}"
        run.mkdir(parents=True)
        plan = record | {"database": "../../results.duckdb", "created_at": at.isoformat()}
        (run / "plan.json").write_text(json.dumps(plan))
        shutil.copy(RECORDING / "journal.jsonl", run)


def listed(database: Path, *more: str) -> tuple[float, float]:
    """Seconds of the processor, and by the clock."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*COMMAND, "runs", "--db", str(database), *more], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - began


def idle(database: Path, runs: int) -> None:
    with Terminal([*COMMAND, "--db", str(database)], size=(160, 45)) as terminal:
        terminal.wait("finished")
        say("dashboard, until the runs are on it", (used(terminal.pid), time.perf_counter() - terminal.started))
        terminal.rest(5.0)
        before = used(terminal.pid)
        terminal.rest(IDLE)
        print(f"dashboard, idle: {100 * (used(terminal.pid) - before) / IDLE:.1f} % of a core")


def used(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def say(what: str, seconds: tuple[float, float]) -> None:
    print(f"{what}: {seconds[0]:.2f} s of the processor, {seconds[1]:.2f} s by the clock", flush=True)


if __name__ == "__main__":
    os.environ.pop("PRUNE_TUI_DB", None)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
