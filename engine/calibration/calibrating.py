"""From what a plan calls its calibration to the tokens of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from lm_eval.api.task import Task

from engine.calibration.given_text import apart, cut, read_text, training_texts
from engine.calibration.held_out import HeldOut
from engine.calibration.own_text import own_text
from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration

_MOST_IN_COMMON = 0.1  # of training documents, beyond which they are no others than those of an evaluation


def calibrate(
    source: CalibrationSource,
    lm: PrunedLM,
    *,
    tokens: int | None = None,
    length: int | None = None,
    seed: int,
    evaluated: Callable[[], Iterable[tuple[str, str]]] = tuple,
    find_tasks: Callable[[str], Sequence[Task]],
    say: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
    damage: bool = False,
) -> Calibration:
    """The calibration text of a model that is still unpruned.

    Args:
        tokens, length: how many in all, and in one sequence; None chooses.
        seed: of text that the model writes itself.
        evaluated: the documents of the run's tasks, each after its task's name: none may be in a text that is given.
        find_tasks: the tasks of a name, with their documents.
        say: told what was left out, or is less than was asked for.
        check: called now and then; may raise to stop.
        damage: what `damage_text` takes of a text that is given is left alone.

    Raises:
        UserError: the text cannot be had, is too short, or is what the run evaluates on.
    """
    model = lm.model
    amount = CalibrationAmount.chosen(
        tokens=tokens,
        length=length,
        on_gpu=model.device.type == "cuda",
        own_text=source.is_self,
        intermediate_size=model.config.get_text_config().intermediate_size,
        context=lm.max_length,
    )
    if source.is_self:
        return Calibration.of(own_text(lm, amount, seed=seed, check=check), source=source.text, seed=seed)
    held_out = HeldOut.of(evaluated())
    if source.file is not None:
        named, text = str(source.file), read_text(source.file)
        sequences = cut([apart(text)[0] if damage else text], lm, amount, named=named)
        _refuse_held_out(held_out, sequences, lm, named)
    else:
        assert source.task is not None
        named = f"The training split of '{source.task}'"
        documents = training_texts(source.task, find_tasks(source.task), "calibration" if damage else "all")
        texts = _Apart(documents, held_out, named)
        sequences = cut(texts, lm, amount, named=named)
        if (told := texts.told()) is not None:
            say(told)
    made = Calibration.of(sequences, source=source.text, seed=None)
    if tokens is not None and made.count < amount.tokens:
        say(f"{named} has {made.count:,} tokens, fewer than the {tokens:,} that --calibration-tokens asks for.")
    return made


def _refuse_held_out(held_out: HeldOut, sequences: list[list[int]], lm: PrunedLM, named: str) -> None:
    found = held_out.within("".join(lm.tokenizer.batch_decode(sequences, skip_special_tokens=True)))
    if found:
        tasks = ", ".join(sorted(set(found)))
        raise UserError(
            f"{named} holds {len(found):,} of the documents that this run evaluates on ({tasks}), so its scores would "
            "be flattered: calibrate on other text, or leave those tasks out."
        )


class _Apart:
    """Texts without those that hold a document of an evaluation, which are counted."""

    def __init__(self, texts: Iterator[str], held_out: HeldOut, named: str) -> None:
        self._texts, self._held_out, self._named = texts, held_out, named
        self._looked_at = 0
        self._found: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self._looked_at += 1
            if found := self._held_out.within(text):
                self._found.append(found[0])
            else:
                yield text
        self.told()

    def told(self) -> str | None:
        """What was left out, in a sentence; None where nothing was.

        Raises:
            UserError: too much was for it to be there by chance.
        """
        if not self._found:
            return None
        share = f"{len(self._found):,} of {self._looked_at:,} documents"
        tasks = ", ".join(sorted(set(self._found)))
        what = f"{self._named}: {share} are what this run evaluates on ({tasks})"
        if len(self._found) > _MOST_IN_COMMON * self._looked_at:
            raise UserError(f"{what}, so scores would be flattered: calibrate on other text, or leave those tasks out.")
        return f"{what}: they are left out."
