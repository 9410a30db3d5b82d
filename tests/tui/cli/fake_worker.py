"""A worker without a model: plays the part that the run's name asks for, in the journal and by how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path

from engine.runs import launch
from engine.runs.card_lock import card_held
from engine.runs.rundir import RunDir
from warehouse.records.events import (
    Attempt,
    CellProgress,
    CellStarted,
    Crashed,
    Finished,
    Log,
    Planned,
    Refused,
    Stopped,
    of_kind,
)
from warehouse.records.facts import CellFacts, FailureFacts, MetricFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.store.journal import Journal

MODEL = ModelFacts(
    model="org/tiny", source="org/tiny", revision="c0ffee", weights_hash="abc", model_type="llama", hidden_size=8,
    intermediate_size=100, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=16,
    tied_embeddings=True, parameters=1000, bytes=4000,
)  # fmt: skip


def task_facts(name: str) -> TaskFacts:
    return TaskFacts(
        task=name, part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10, n_requests=20,
        dataset="d", dataset_fingerprint=None, requests_hash="r",
    )  # fmt: skip


def cell_facts(level: str, name: str) -> CellFacts:
    value = 0.5 - float(level) / 1000
    metric = MetricFacts(metric="acc", filter="none", value=value, stderr=0.01, n=10, higher_is_better=True)
    return CellFacts(
        level=level, task=name, part_of=None, is_group=False, version="1", num_fewshot=0, seconds=0.1, metrics=[metric]
    )


def work(run: RunDir) -> int:
    plan = run.plan
    part, before = plan.name.partition(" maw")[0].partition(" l2")[0].partition(" level")[0], run.events()
    done = {(cell.level, cell.task) for cell in of_kind(before, CellFacts)}
    attempt = sum(event.kind == "attempt" for event in before) + 1
    journal = Journal(run.journal_path)
    if part.startswith("die always"):
        os.kill(os.getpid(), signal.SIGKILL)
    if part == "refuse":
        journal.append(Refused(error="This model cannot be pruned: \x1b[31mtry [bold]another[/bold]."))
        return launch.REFUSED
    journal.append(Planned(plan=plan.to_dict(), dtype="float32", conditions=plan.conditions("float32")))
    journal.append(
        Attempt(
            attempt=attempt, pid=os.getpid(), host="here",
            provenance={
                "card": os.environ.get("CUDA_VISIBLE_DEVICES"),
                "device": "cuda" if "FAKE_CARDS" in os.environ else "cpu",
                "versions": {name: version(name) for name in ("prune-tui", "lm-eval")},
            },
        )
    )  # fmt: skip
    if part == "silent":
        print("Traceback: no module named torch", file=sys.stderr)
        return 3
    journal.append(MODEL)
    for level in plan.levels:
        pct = level.amount
        kept = 100 - int(pct)
        journal.append(VariantFacts(
                level=str(level), method=plan.method, pruning_pct=pct, intermediate_size=kept, padded_size=kept,
                expansion_ratio=kept / 8, parameters=10 * kept, bytes=40 * kept,
            ),
        )  # fmt: skip
    for spec in plan.tasks:
        journal.append(task_facts(spec.name))
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: stopped.append(number))
    failed = 0
    for level in map(str, plan.levels):
        for spec in plan.tasks:
            if (level, spec.name) in done:
                continue
            journal.append(CellStarted(level=level, task=spec.name))
            journal.append(CellProgress(level=level, task=spec.name, done=10, total=20, tokens=100))
            while part in ("hang", "deaf") and attempt == 1 and level != "0":
                time.sleep(0.02)
                if stopped and part == "hang":
                    journal.append(Stopped(reason="SIGINT"))
                    return launch.STOPPED
            if part == "fail" and attempt == 1 and level != "0":
                journal.append(FailureFacts(level=level, task=spec.name, error="OutOfMemoryError: full", detail=""))
                failed += 1
                continue
            journal.append(cell_facts(level, spec.name))
            if part == "die" and attempt == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if part == "crash" and attempt == 1:
                journal.append(Crashed(error="ValueError: oops", detail="Traceback …"))
                return launch.FAILED
    journal.append(Finished(failed=failed))
    return launch.FAILED if failed else launch.FINISHED


def on_its_card(run: RunDir) -> int:
    """Alone on the card that it sees, as a worker with a GPU is, where FAKE_LOCK names this host's cards."""
    if (cards := os.environ.get("FAKE_LOCK")) is None:
        return work(run)
    journal = Journal(run.journal_path)
    try:
        card = f"{cards}-{os.environ.get('CUDA_VISIBLE_DEVICES', '0')}"
        with card_held(card, lambda text: journal.append(Log(message=text)), lambda: None):
            journal.close()
            return work(run)
    except KeyboardInterrupt:
        journal.append(Stopped(reason="SIGINT"))
        return launch.STOPPED


if __name__ == "__main__":
    this = RunDir(Path(sys.argv[1]))
    with this.lock():
        code = on_its_card(this)
    sys.exit(code)
