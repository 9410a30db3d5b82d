"""A warehouse of 10 000 runs, 5 million metrics and 50 million sample rows: its size, and how long its queries take.

Run: python benchmarks/scale.py [FOLDER [RUNS]] > docs/scale.md, where FOLDER keeps the database for the next time.

The screens' queries are timed as the dashboard asks them, each on a connection of its own that is opened for it: the
median of five. The views are timed once, computed whole, which no screen asks for.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from tui.queries import Question, choices, chosen, subject
from warehouse import db
from warehouse.errors import UserError

DOCUMENTS = 60  # of each benchmark at each level
RUNS_AT_ONCE = 250
TIMES = 5
SECONDS = 120  # for a view


def make(path: Path, runs: int) -> float:
    """Fill a new file, and return the seconds it took."""
    started = time.monotonic()
    with db.open_write(path):
        pass
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    with duckdb.connect(path, config={"threads": 2, "memory_limit": "6GB"}) as con:
        steps = con.extract_statements(text)
        for first in range(0, runs, RUNS_AT_ONCE):
            about = {"first": first, "last": min(first + RUNS_AT_ONCE, runs), "documents": DOCUMENTS}
            for step in steps:
                con.execute(step, {name: about[name] for name in step.named_parameters} or None)
    return time.monotonic() - started


def rows(path: Path, statement: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    with db.open_read(path) as con:
        cursor = con.execute(statement, parameters or None)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def timed(path: Path, statement: str, parameters: dict[str, Any] | None = None) -> tuple[float, int]:
    """Milliseconds, and how many rows came."""
    times, found = [], []
    for _ in range(TIMES):
        started = time.monotonic()
        found = rows(path, statement, parameters)
        times.append(1000 * (time.monotonic() - started))
    return statistics.median(times), len(found)


def screens(path: Path) -> dict[str, Question]:
    """What the common screens ask, about three models pruned by one method, in the middle of the file."""
    models = ("org/model-107", "org/model-108", "org/model-109")
    asked = choices()
    found = [row for row in rows(path, asked.statement(), asked.bound()) if row["model"] in models]
    first = next(row for row in found if row["method"] == "maw")
    subjects = [subject(row) for row in found if row["method"] == "maw" and row["conditions"] == first["conditions"]]
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
        "Cell: metrics": Question("cell_metrics", cell),
        "Cell: flipped documents": Question("cell_flips", cell),
    }


def view_seconds(path: Path, view: str) -> str:
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
            for table in ("runs", "cells", "metrics", "samples")
        ]
    print("# A large warehouse\n")
    print("What `python benchmarks/scale.py` measured, on two CPU cores, with DuckDB " + duckdb.__version__ + ".\n")
    print("{:,} runs, {:,} cells, {:,} metrics and {:,} sample rows".format(*counts), end="")
    print(f" in a file of {path.stat().st_size / 1e6:,.0f} MB" + (f", made in {made:.0f} s." if made else "."))
    print("\nThe screens' queries, each with opening the file for it:\n")
    print("| query | median | rows |\n|---|--:|--:|")
    for what, question in screens(path).items():
        milliseconds, count = timed(path, question.statement(), question.bound())
        print(f"| {what} | {milliseconds:.0f} ms | {count:,} |", flush=True)
    print("\nThe views, each computed whole over all runs, once:\n")
    print("| view | time | rows |\n|---|--:|--:|")
    for view in views:
        print(view_seconds(path, view), flush=True)


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
