"""A run's neurons, sorted: by weights alone, or by what they do on a text that the run keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lm_eval.api.task import Task

from engine.calibration.calibrating import calibrate
from engine.calibration.for_saving import kept_text
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import tasks_called
from engine.planning.plan import RunPlan
from engine.pruning.calibration import Calibration
from engine.pruning.ladder import Ladder
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from warehouse.records.facts import CalibrationFacts
from warehouse.records.run_state import CALIBRATE, SORT_NEURONS


def sorted_ladder(
    run: RunDir,
    plan: RunPlan,
    recorder: Recorder,
    lm: PrunedLM,
    *,
    evaluated: Callable[[], Sequence[Task]],
    check: Callable[[], None],
    pad_to: int,
) -> Ladder:
    """The ladder of a run that is begun or taken up again; a calibrated run keeps the text it began with.

    Args:
        evaluated: the run's tasks, asked only where a text is given that must hold none of their documents.
        check: called now and then; may raise to stop.

    Raises:
        UserError: the calibration text cannot be had, or is unfit.
    """
    calibration = _calibration(run, plan, recorder, lm, evaluated, check) if plan.is_calibrated else None
    with recorder.stage(SORT_NEURONS):
        return Ladder(
            lm.model,
            method=plan.method,
            seed=plan.seeds[0],
            pad_to=pad_to,
            repair=plan.repair,
            calibration=calibration,
            check=check,
        )


def _calibration(
    run: RunDir,
    plan: RunPlan,
    recorder: Recorder,
    lm: PrunedLM,
    evaluated: Callable[[], Sequence[Task]],
    check: Callable[[], None],
) -> Calibration:
    if (before := recorder.history.calibration) is not None:
        return kept_text(run, before)
    with recorder.stage(CALIBRATE):
        made = calibrate(
            plan.calibration_source,
            lm,
            tokens=plan.calibration_tokens,
            length=plan.calibration_length,
            seed=plan.seeds[0],
            evaluated=evaluated,
            find_tasks=partial(tasks_called, include_paths=plan.include_paths, trust_task_code=plan.trust_task_code),
            say=lambda message: recorder.log(message, "warning"),
            check=check,
            damage=plan.damage,
        )
    path = made.save(run.path)
    facts = CalibrationFacts(
        source=made.source,
        tokens=made.count,
        length=made.length,
        seed=made.seed,
        hash=made.hash,
        path=str(path.relative_to(run.path)),
    )
    recorder.record(facts)
    return made
