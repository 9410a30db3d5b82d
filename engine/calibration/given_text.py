"""Text that is given: a file, or the training documents of an lm-eval task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Literal

from lm_eval.api.task import Task

from engine.errors import UserError
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_failures import OF_THE_TASK, cannot_be_built
from engine.evaluation.whole_documents import whole_document
from engine.planning.calibration_amount import CalibrationAmount

_CHARACTERS = 2**20  # that are tokenised at a time
_TENTH = 10
Part = Literal["all", "calibration", "damage"]
"""Where damage is measured, one in ten training documents is for that, and calibration has the others."""


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        UserError: it cannot be read, is no UTF-8, or holds nothing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"The calibration text {path} is not in UTF-8: give a plain text file.") from error
    except OSError as error:
        raise UserError(
            f"The calibration text {path} cannot be read ({error.strerror or error}): check the path, or give self or "
            "task:NAME."
        ) from error
    if not text.strip():
        raise UserError(f"The calibration text {path} is empty: give one that holds text.")
    return text


def apart(text: str) -> tuple[str, str]:
    """A text without its last tenth, and that tenth; cut between lines where there are any."""
    end = len(text) - len(text) // _TENTH
    end = text.rfind("\n", end // 2, end) + 1 or end
    return text[:end], text[end:]


def training_texts(name: str, tasks: Iterable[Task], part: Part = "all") -> Iterator[str]:
    """The training documents of tasks, question and answer, in an order that is always the same but not theirs.

    Raises:
        UserError: a task has none, or cannot write them out.
    """
    for task in tasks:
        if not task.has_training_docs():
            raise UserError(
                f"Task '{task.task_name}' has no training documents to calibrate on (--calibration task:{name}): give "
                "another task, a text file, or self."
            )
        try:
            documents = list(task.training_docs())
            Random(0).shuffle(documents)
            for at, document in enumerate(documents):
                if part == "all" or (at % _TENTH == _TENTH - 1) == (part == "damage"):
                    yield whole_document(task, document)
        except OF_THE_TASK as error:
            cannot_be_built(task.task_name, error)


def cut(
    texts: Iterable[str],
    lm: PrunedLM,
    amount: CalibrationAmount,
    *,
    named: str,
    purpose: str = "to look at its neurons",
) -> list[list[int]]:
    """Sequences of at most `amount.length` tokens, each beginning as a text does, of `amount.tokens` together or of all
    that there are.

    Raises:
        UserError: there are too few.
    """
    begins = [] if lm.prefix_token_id is None else [lm.prefix_token_id]
    room = amount.length - len(begins)
    sequences: list[list[int]] = []
    missing = amount.tokens
    for text in texts:
        tokens = _tokens(text, lm, missing)
        for start in range(0, len(tokens), room):
            if missing <= len(begins):
                break
            sequence = [*begins, *tokens[start : start + room]][:missing]
            sequences.append(sequence)
            missing -= len(sequence)
        if missing <= len(begins):
            return sequences
    if (found := amount.tokens - missing) < amount.fewest:
        raise UserError(
            f"{named} has {found:,} tokens for this model, and {amount.fewest:,} are needed at least {purpose}: give a "
            "longer text, or self."
        )
    return sequences


def _tokens(text: str, lm: PrunedLM, most: int) -> list[int]:
    """Of the beginning of a text, cut between lines into parts where it is long."""
    found: list[int] = []
    start = 0
    while start < len(text) and len(found) < most:
        end = start + _CHARACTERS
        if end < len(text):
            end = text.rfind("\n", start, end) + 1 or end
        found += lm.tok_encode(text[start:end], add_special_tokens=False)
        start = end
    return found
