"""What --damage adds to a run: text that it keeps, and a cell for each level."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from engine.errors import UserError
from engine.evaluation.damage import Damage
from engine.evaluation.lm import PrunedLM
from engine.evaluation.samples import write_samples
from engine.planning.plan import RunPlan
from engine.pruning.calibration import PADDING, Calibration
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from warehouse.records.facts import CellFacts, TaskFacts
from warehouse.stats.metrics.damage import TASK

FILE_NAME = "damage.npz"
_VERSION = "1"


class DamageCells:
    """Measures damage level by level; what it is measured on is the run's, whoever takes the run up again."""

    def __init__(self, run: RunDir, text: Calibration, attempt: int) -> None:
        self._run, self._text, self._attempt = run, text, attempt
        self._damage: Damage | None = None

    def begin(self, lm: PrunedLM, check: Callable[[], None]) -> None:
        """Keep what the model says, which is unpruned."""
        self._damage = Damage(lm.model, self._text, check)

    def measure(self, level: str, *, is_unpruned: bool) -> CellFacts:
        """Raises:
        OSError: the samples cannot be written.
        """
        if self._damage is None:
            raise ValueError("nothing is known of the unpruned model yet")
        start = time.monotonic()
        metrics, samples = self._damage.measure(is_unpruned=is_unpruned)
        seconds = time.monotonic() - start
        path, samples_hash = write_samples(
            self._run.samples_dir, level=level, task=TASK, attempt=self._attempt, samples=samples, answers={}
        )
        facts = task_facts(self._text)
        return CellFacts(
            level=level,
            task=TASK,
            part_of=None,
            is_group=False,
            version=facts.version,
            num_fewshot=facts.num_fewshot,
            seconds=round(seconds, 3),
            metrics=metrics,
            samples=str(path.relative_to(self._run.path)),
            questions_hash=facts.questions_hash,
            tokens_hash=facts.tokens_hash,
            samples_hash=samples_hash,
        )


def damage_cells(
    run: RunDir, plan: RunPlan, recorder: Recorder, lm: PrunedLM, *, check: Callable[[], None], attempt: int
) -> DamageCells | None:
    """None where no damage is asked for. The model is still unpruned, and its neurons in the order they came in: text
    that it writes is the same whichever method follows.

    Raises:
        UserError: the text cannot be had, is too short, or is not there any more.
    """
    if not plan.damage:
        return None
    before = recorder.history.tasks.get(TASK)
    if before is not None:
        return DamageCells(run, _kept(run, before), attempt)
    text = _of_sweep(run, plan)
    if text is None:
        # What reads data sets, for those runs only that need it.
        from engine.calibration.damage_text import damage_text
        from engine.evaluation.task_loading import tasks_called

        with recorder.stage("hold text out"):
            text = damage_text(
                plan.calibration_source,
                lm,
                seed=plan.seeds[0],
                find_tasks=partial(
                    tasks_called, include_paths=plan.include_paths, trust_task_code=plan.trust_task_code
                ),
                check=check,
            )
    text.save(run.path, FILE_NAME)
    facts = task_facts(text)
    recorder.record(facts)
    recorder.history.tasks[TASK] = facts
    return DamageCells(run, text, attempt)


def task_facts(text: Calibration) -> TaskFacts:
    """What stands for a task: its documents are the text's sequences."""
    sequences = int(((text.tokens != PADDING).sum(1) > 1).sum())
    return TaskFacts(
        task=TASK,
        part_of=None,
        version=_VERSION,
        output_type=TASK,
        num_fewshot=0,
        n_docs=sequences,
        n_requests=sequences,
        dataset=text.source,
        dataset_fingerprint=None,
        requests_hash=text.hash,
        questions_hash=text.hash,
        tokens_hash=text.hash,
    )


def _kept(run: RunDir, facts: TaskFacts) -> Calibration:
    return Calibration.load(run.path / FILE_NAME, source=facts.dataset or "", seed=None, hash=facts.tokens_hash or "")


def _of_sweep(run: RunDir, plan: RunPlan) -> Calibration | None:
    """The text of another run that was started with this one, of the same model; None where no run has it yet."""
    if plan.sweep is None:
        return None
    for folder in sorted(run.path.parent.iterdir()):
        if folder == run.path or not (folder / FILE_NAME).exists():
            continue
        other = RunDir(folder)
        try:
            planned, facts = other.plan, other.history()[0].tasks.get(TASK)
        except UserError:  # one that cannot be read is none to share with
            continue
        if facts is not None and (planned.sweep, planned.model) == (plan.sweep, plan.model):
            return _kept(other, facts)
    return None
