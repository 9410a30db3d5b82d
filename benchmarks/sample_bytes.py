"""What is kept for reading a document without its data set, in bytes: documents once a run, answers at each level.

    python benchmarks/sample_bytes.py WORK_DIR --model MODEL --include-path TASKS_DIR
        [--tasks boolq,hellaswag,gsm8k@5] [--limit 300]

Runs the tasks at two levels and reads the sizes of the files that the run wrote; "scores" is a cell's file written
again without the answers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pyarrow.parquet as pq

from engine.evaluation.parquet import write_parquet
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.level import parse_levels

ANSWERS = ("log_likelihoods", "greedy", "texts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--include-path", required=True)
    parser.add_argument("--tasks", default="boolq,hellaswag,gsm8k@5")
    parser.add_argument("--limit", type=int)
    args = parser.parse_args()
    plan = RunPlan(
        name="sample bytes",
        model=args.model,
        levels=tuple(parse_levels("0,40")),
        tasks=tuple(map(TaskSpec.parse, args.tasks.split(","))),
        limit=args.limit,
        include_paths=(args.include_path,),
    )
    args.work_dir.mkdir(exist_ok=True)
    database = args.work_dir.resolve() / "results.duckdb"
    run = RunDir.create(runs_root(database), plan, database)
    if launch.start(run).wait() != launch.FINISHED:
        raise SystemExit("\n".join(launch.log_tail(run)))
    print("| task | documents | once a run | scores, a level | with answers, a level |")
    print("|---|---|---|---|---|")
    history = run.history()[0]
    for task, documents in history.documents.items():
        cell = run.path / (history.cells["40", task].samples or "")
        rows = pq.read_table(cell)
        scores, _ = write_parquet(args.work_dir, f"scores-{task}", rows.drop_columns(list(ANSWERS)))
        sizes = ((run.path / documents.path).stat().st_size, scores.stat().st_size, cell.stat().st_size)
        print(f"| {task} | {documents.count:,} | {' | '.join(f'{size / documents.count:,.1f}' for size in sizes)} |")


if __name__ == "__main__":
    main()
