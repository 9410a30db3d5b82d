"""A warehouse of 10 000 runs, 5 million metrics and 50 million sample rows: its size, and how long its queries take.

Run: python benchmarks/scale.py [FOLDER [RUNS]], where FOLDER keeps the database for the next time;
docs/evidence/scale.md has what it measured.

The screens' queries and the views of one model are timed as the dashboard asks, each on a connection of its own that
is opened for it: the median of five, and the best (of one, where that takes seconds), each begun when no other program
has work for the cores, if such a moment comes. The views are also timed once computed whole, which no screen asks for.
The rows of paired_deltas are made up: comparing 50 million documents would take hours, which a warehouse spends run by
run.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import psutil

from tui.shell.queries import Question, choices, chosen
from warehouse.errors import UserError
from warehouse.read.grid import subject
from warehouse.store import accounts, db

DOCUMENTS = 60  # of each benchmark at each level
RUNS_AT_ONCE = 250
TIMES = 5
OTHERS_PERCENT = 10  # of all cores, that may be busy when a measurement begins
PATIENCE = 10  # seconds to wait for that
TOO_LONG = 3000  # milliseconds, to be timed more than once
SECONDS = 20  # for a view computed whole
MODEL = "org/model-107"  # in the middle of the file


def make(path: Path, runs: int) -> float:
    """Fill a new file, and return the seconds it took."""
    started = time.monotonic()
    with db.open_write(path):
        pass
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    pairs = Path(__file__).with_name("scale_pairs.sql").read_text(encoding="utf-8")
    with duckdb.connect(path, config={"threads": 2, "memory_limit": "6GB"}) as con:
        steps = con.extract_statements(text)
        for first in range(0, runs, RUNS_AT_ONCE):
            about = {"first": first, "last": min(first + RUNS_AT_ONCE, runs), "documents": DOCUMENTS}
            for step in steps:
                con.execute(step, {name: about[name] for name in step.named_parameters} or None)
        con.execute(pairs)
        accounts.note(con)
    return time.monotonic() - started


def rows(path: Path, statement: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    with db.open_read(path) as con:
        con.execute(f"set max_execution_time = {1000 * SECONDS}")
        cursor = con.execute(statement, parameters or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def wait_for_idle_cores() -> None:
    deadline = time.monotonic() + PATIENCE
    while psutil.cpu_percent(interval=0.1) > OTHERS_PERCENT and time.monotonic() < deadline:
        pass


def timed(path: Path, statement: str, parameters: dict[str, Any] | None = None) -> tuple[str, int]:
    """Milliseconds, the median and the best, of CPU time the best; and how many rows came."""
    times, cpu, found = [], [], []
    for _ in range(TIMES):
        wait_for_idle_cores()
        started, busy = time.monotonic(), time.process_time()
        found = rows(path, statement, parameters)
        times.append(1000 * (time.monotonic() - started))
        cpu.append(1000 * (time.process_time() - busy))
        if times[0] > TOO_LONG:
            break
    return f"{statistics.median(times):.0f} ms | {min(times):.0f} ms | {min(cpu):.0f} ms", len(found)


def screens(path: Path) -> dict[str, Question]:
    """What the common screens ask, about three models pruned by one method, in the middle of the file."""
    models = (MODEL, "org/model-108", "org/model-109")
    asked = choices()
    found = [row for row in rows(path, asked.statement(), asked.bound()) if row["model"] in models]
    first = next(row for row in found if row["method"] == "maw")
    subjects = [
        subject(row["model_id"], row["method"], row["repair"], row["conditions"])
        for row in found
        if row["method"] == "maw" and row["conditions"] == first["conditions"]
    ]
    matrix = chosen("matrix_rows", subjects)
    cell = next(
        row
        for row in rows(path, matrix.statement(), matrix.bound())
        if row["task"] == "piqa" and row["pruning_pct"] == 40
    )
    ids = list(dict.fromkeys(one.partition("|")[0] for one in subjects))
    return {
        "Runs": Question("runs"),
        "Results: what can be shown": asked,
        "Results: the matrix of three models": matrix,
        "Results: a benchmark's metrics": Question("matrix_metrics", {"task": "piqa", "model_ids": ids}),
        "Results: a plot": chosen("plot_points", subjects, task="piqa", num_fewshot=0),
        "Compare: side by side": chosen("matrix_matched", subjects, basis="percentage"),
        "Compare: levels": chosen("matrix_levels", subjects),
        "Compare: improvements": chosen("matrix_improvements", subjects),
        "Compare: which one loses more": chosen("matrix_tests", subjects, basis="percentage"),
        "Compare: best levels": chosen("matrix_best", subjects),
        "Cell: metrics": Question("cell_metrics", cell),
        "Cell: flipped documents": Question("cell_flips", cell),
        "Export: all of a model's changes": Question("delta_rows", {"model_ids": ids[:1]}),
    }


def of_one_model(path: Path, view: str, model_id: str) -> str | None:
    """A line of the table; None for a view that names no model."""
    with db.open_read(path) as con:
        columns = {name for name, *_ in con.execute(f"describe {view}").fetchall()}
    column = next((name for name in ("model_id", "smaller_id") if name in columns), None)
    if column is None:
        return None
    try:
        took, count = timed(path, f"from {view} where {column} = $model_id", {"model_id": model_id})
    except duckdb.InterruptException:
        return f"| `{view}` | more than {SECONDS} s | | | |"
    return f"| `{view}` | {took} | {count:,} |"


def whole(path: Path, view: str) -> str:
    with db.open_read(path) as con:
        con.execute(f"set max_execution_time = {1000 * SECONDS}")
        con.execute("set memory_limit = '6GB'")
        started = time.monotonic()
        try:
            ((count,),) = con.execute(f"select count(*) from (from {view} offset 0)").fetchall()
        except duckdb.InterruptException:
            return f"| `{view}` | more than {SECONDS} s | |"
        return f"| `{view}` | {time.monotonic() - started:.1f} s | {count:,} |"


def report(path: Path, made: float | None) -> None:
    with db.open_read(path) as con:
        views = [name for (name,) in con.execute("select view_name from duckdb_views() where not internal").fetchall()]
        counts = [
            con.execute(f"select count(*) from {table}").fetchall()[0][0]
            for table in ("runs", "cells", "metrics", "samples", "paired_deltas")
        ]
        model_id = con.execute("select any_value(model_id) from models where model = ?", [MODEL]).fetchall()[0][0]
    print("# A large warehouse\n")
    print(
        f"What `python benchmarks/scale.py` measured on {datetime.now(UTC):%Y-%m-%d} with DuckDB {duckdb.__version__}, "
        f"Python {sys.version.split()[0]} and prune-tui {version('prune-tui')} on {os.cpu_count()} CPU cores (load "
        f"average of the 15 minutes before: {os.getloadavg()[2]:.1f}).\n"
    )
    print("{:,} runs, {:,} cells, {:,} metrics, {:,} sample rows and {:,} compared changes".format(*counts), end="")
    print(f" in a file of {path.stat().st_size / 1e6:,.0f} MB" + (f", made in {made:.0f} s." if made else "."))
    print("\nThe screens' queries, opening the file included, median and best of five; CPU is of all threads:\n")
    print("| query | median | best | CPU | rows |\n|---|--:|--:|--:|--:|")
    for what, question in screens(path).items():
        took, count = timed(path, question.statement(), question.bound())
        print(f"| {what} | {took} | {count:,} |", flush=True)
    print("\nThe views of one model (25 runs), asked `where model_id = …`, in the same way:\n")
    print("| view | median | best | CPU | rows |\n|---|--:|--:|--:|--:|")
    for view in views:
        if line := of_one_model(path, view, model_id):
            print(line, flush=True)
    print("\nThe views, each computed whole over all runs, once:\n")
    print("| view | time | rows |\n|---|--:|--:|")
    for view in views:
        print(whole(path, view), flush=True)


def main() -> None:
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else folder, "scale.duckdb")
        try:
            report(path, None if path.exists() else make(path, runs))
        except UserError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
