"""Text that a pruned model is held against the unpruned one on, apart from what neurons are looked at on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from lm_eval.api.task import Task

from engine.calibration.given_text import apart, cut, read_text, training_texts
from engine.calibration.own_text import own_text
from engine.evaluation.lm import PrunedLM
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration


def damage_text(
    source: CalibrationSource,
    lm: PrunedLM,
    *,
    seed: int,
    find_tasks: Callable[[str], Sequence[Task]],
    check: Callable[[], None] = lambda: None,
) -> Calibration:
    """Text of the same kind as the calibration's: what the unpruned model writes with another seed, the last tenth of
    a file, or every tenth training document.

    Args:
        seed: the run's; another one is made of it for text that the model writes.
        find_tasks: the tasks of a name, with their documents.
        check: called now and then; may raise to stop.

    Raises:
        UserError: the text cannot be had, or is too short.
    """
    amount = CalibrationAmount.for_damage(
        on_gpu=lm.model.device.type == "cuda", own_text=source.is_self, context=lm.max_length
    )
    if source.is_self:
        other = Random(f"{seed}/damage").getrandbits(31)
        return Calibration.of(own_text(lm, amount, seed=other, check=check), source=source.text, seed=other)
    if source.file is not None:
        texts, named = [apart(read_text(source.file))[1]], f"The last tenth of {source.file}"
    else:
        assert source.task is not None
        texts = training_texts(source.task, find_tasks(source.task), part="damage")
        named = f"A tenth of the training split of '{source.task}'"
    return Calibration.of(
        cut(texts, lm, amount, named=named, purpose="to measure damage on"), source=source.text, seed=None
    )
