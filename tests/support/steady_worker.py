"""A worker without a model: the same cells with the same samples whenever it is asked, one a quarter of a second; all
else is as with the real one: it locks the run, goes on from its journal, writes files before the lines that go with
them, and heeds the file and the parent of a worker that is carried.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from engine.runs import launch
from engine.runs.rundir import RunDir
from engine.worker.stopping import StopFlag, StopRequested, heed_file_and_parent
from warehouse.records.events import Attempt, Finished, Planned, Stopped, of_kind
from warehouse.records.facts import CellFacts, MetricFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.store.journal import Journal

SECONDS = 0.25  # a cell
_SLOW = "--cell="
PACE = next((float(word.removeprefix(_SLOW)) for word in sys.argv if word.startswith(_SLOW)), SECONDS)
MODEL = ModelFacts(
    model="demo", source="demo", revision=None, weights_hash="abc", model_type="llama", hidden_size=8,
    intermediate_size=100, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=16,
    tied_embeddings=True, parameters=1000, bytes=4000,
)  # fmt: skip


def samples(level: str, task: str) -> bytes:
    return random.Random(f"{level} {task}").randbytes(200_000)


def cell(level: str, task: str) -> CellFacts:
    value = random.Random(f"{task} {level}").random()
    metric = MetricFacts(metric="acc", filter="none", value=value, stderr=0.01, n=10, higher_is_better=True)
    return CellFacts(
        level=level, task=task, part_of=None, is_group=False, version="1", num_fewshot=0, seconds=SECONDS,
        metrics=[metric],
    )  # fmt: skip


def work(run: RunDir, stop: StopFlag) -> int:
    plan, before = run.plan, run.events()
    done = {(one.level, one.task) for one in of_kind(before, CellFacts)}
    number = len(of_kind(before, Attempt)) + 1
    journal = Journal(run.journal_path)
    if not before:
        journal.append(Planned(plan=plan.to_dict(), dtype="float32", conditions=plan.conditions("float32")))
    journal.append(Attempt(attempt=number, pid=os.getpid(), host=os.uname().nodename, provenance={}))
    if not of_kind(before, ModelFacts):
        journal.append(MODEL)
    named = {one.level for one in of_kind(before, VariantFacts)}
    for level in plan.levels:
        if str(level) not in named:
            kept = 100 - int(level.amount)
            journal.append(VariantFacts(
                level=str(level), method=plan.method, pruning_pct=level.amount, intermediate_size=kept,
                padded_size=kept, expansion_ratio=kept / 8, parameters=10 * kept, bytes=40 * kept,
            ))  # fmt: skip
    known = {one.task for one in of_kind(before, TaskFacts)}
    for spec in plan.tasks:
        if spec.name not in known:
            journal.append(TaskFacts(
                task=spec.name, part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10,
                n_requests=20, dataset="d", dataset_fingerprint=None, requests_hash="r",
            ))  # fmt: skip
    run.samples_dir.mkdir(exist_ok=True)
    try:
        for level in map(str, plan.levels):
            for spec in plan.tasks:
                if (level, spec.name) not in done:
                    time.sleep(PACE)
                    stop.check()
                    path = run.samples_dir / f"{level}-{spec.name}-{number}.parquet"
                    draft = path.with_suffix(".draft")
                    draft.write_bytes(samples(level, spec.name))
                    draft.replace(path)
                    journal.append(cell(level, spec.name))
    except StopRequested as request:
        journal.append(Stopped(reason=str(request)))
        return launch.STOPPED
    journal.append(Finished(failed=0))
    return launch.FINISHED


if __name__ == "__main__":
    this, flag = RunDir(Path(sys.argv[1])), StopFlag()
    if launch.CARRIED in sys.argv:
        heed_file_and_parent(this)
    with this.lock(by_file=launch.CARRIED in sys.argv), flag.listening():
        code = work(this, flag)
    sys.exit(code)
