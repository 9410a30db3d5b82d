"""The text on which a checkpoint that is saved was looked at: a run's own, or one that is made for it."""

from __future__ import annotations

import sys
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.calibration.calibrating import calibrate
from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_loading import tasks_called
from engine.planning.calibration import DEFAULT_CALIBRATION, CalibrationSource
from engine.pruning.calibration import Calibration
from engine.pruning.checkpoint import Calibrate
from engine.runs.rundir import RunDir
from warehouse.records.facts import CalibrationFacts


def text_for(
    named: str | None, *, tokens: int | None, length: int | None, seed: int, like: Path | None = None
) -> Calibrate:
    """What finds the text once the unpruned model is loaded.

    Args:
        named: self, a text file, or task:NAME; None is self.
        like: the folder of a run whose text is taken; nothing else may be said of the text then.

    Raises:
        UserError: the run was calibrated on no text, or another text is named beside it.
    """
    if like is not None:
        if (named, tokens, length) != (None, None, None):
            raise UserError("--like takes the text of the run: leave --calibration and what belongs to it out.")
        kept = text_of_run(RunDir(like))
        return lambda model, tokenizer: kept
    source = CalibrationSource.parse(named or DEFAULT_CALIBRATION)

    def made(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Calibration:
        return calibrate(
            source,
            PrunedLM(model, tokenizer, seed=seed),
            tokens=tokens,
            length=length,
            seed=seed,
            find_tasks=tasks_called,
            say=lambda message: print(message, file=sys.stderr),
        )

    return made


def text_of_run(run: RunDir) -> Calibration:
    """The text that a run was calibrated on, as it lies in the run's folder.

    Raises:
        UserError: it was calibrated on none, or the text is not there any more, or has changed.
    """
    facts = run.history()[0].calibration
    if facts is None:
        raise UserError(f"{run.path.name} was calibrated on no text: leave --like out, or name another run.")
    return kept_text(run, facts)


def kept_text(run: RunDir, facts: CalibrationFacts) -> Calibration:
    """Raises:
    UserError: the text is not there any more, or has changed.
    """
    return Calibration.load(run.path / facts.path, source=facts.source, seed=facts.seed, hash=facts.hash)
