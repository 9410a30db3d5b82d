"""The answer that each metric judged, from lm-eval's samples: they hold log-likelihoods and texts, not choices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.stats.answers import asked_twice, chosen, needs

Requests = Sequence[Sequence[str]]


@dataclass(slots=True)
class _Choice:
    """Of one document the choice under each delimiter that there may be, what the metric made of it, what is right."""

    by_delimiter: dict[str, int | None]
    value: Any
    right: frozenset[int]

    def contradicts(self, delimiter: str) -> bool:
        """Whether the metric cannot have taken this choice: it scores 1 for a right one, 0 for a wrong one."""
        choice = self.by_delimiter.get(delimiter)
        if choice is None or not self.right or isinstance(self.value, list | dict | str) or self.value not in (0, 1):
            return False
        return choice not in self.right if self.value else self.right == {choice}


@dataclass(slots=True)
class Responses:
    """The answers of one task, sample by sample and metric by metric, as JSON: an index or the generated text.

    A choice's length decides in acc_norm, and the samples have it with the delimiter before it (none in a chat
    template): the one is taken under which the recorded scores come out. Where a metric's scores are those of no
    choice, as where a task judges by rules of its own, its answers are not known.
    """

    output_type: str | None
    delimiter: str
    _found: list[str | tuple[str, _Choice] | None] = field(default_factory=list)
    _refuted: set[tuple[str, str]] = field(default_factory=set)

    def add(self, metric: str, sample: Mapping[str, Any], requests: Requests | None) -> None:
        """Raises:
        KeyError, TypeError, ValueError: not as lm-eval writes samples.
        """
        answers = sample["filtered_resps"]
        if self._generated(sample, answers, requests):
            self._found.append(json.dumps(answers[0], ensure_ascii=False))
            return
        likelihoods = _log_likelihoods(answers)
        if likelihoods is None:
            self._found.append(None)
            return
        choice = self._choice(metric, likelihoods, sample, requests)
        self._refuted |= {(metric, one) for one in choice.by_delimiter if choice.contradicts(one)}
        self._found.append((metric, choice))

    def settle(self) -> list[str | None]:
        """The answers in the order in which they were added."""
        return [self._settled(*one) if isinstance(one, tuple) else one for one in self._found]

    def _settled(self, metric: str, choice: _Choice) -> str | None:
        left = {index for name, index in choice.by_delimiter.items() if (metric, name) not in self._refuted}
        index = left.pop() if len(left) == 1 else None
        return None if index is None else str(index)

    def _generated(self, sample: Mapping[str, Any], answers: Sequence[Any], requests: Requests | None) -> bool:
        if self.output_type is not None:
            return self.output_type == "generate_until"
        if requests is not None:
            return _has_settings(sample["arguments"])
        # A single text that is a number may be the log-likelihood of a whole document as well.
        return len(answers) == 1 and isinstance(answers[0], str) and _number(answers[0]) is None

    def _choice(
        self, metric: str, likelihoods: list[float], sample: Mapping[str, Any], requests: Requests | None
    ) -> _Choice:
        texts = [] if requests is None else [request[-1] for request in requests]
        unconditional = None
        if asked_twice(sample) and len(likelihoods) % 2 == 0:
            half = len(likelihoods) // 2
            likelihoods, unconditional, texts = likelihoods[:half], likelihoods[half:], texts[:half]
        by_delimiter: dict[str, int | None] = {}
        by_length = needs(metric) == "texts"
        for delimiter in dict.fromkeys((self.delimiter, "")):
            choices = _without(delimiter, texts) if len(texts) == len(likelihoods) else None
            if choices is None and by_length and delimiter:
                continue
            by_delimiter[delimiter] = chosen(metric, likelihoods, choices=choices, unconditional=unconditional)
            if not by_length:
                break
        return _Choice(by_delimiter, sample.get(metric), _right(sample.get("target"), texts, self.delimiter))


def _log_likelihoods(answers: Sequence[Any]) -> list[float] | None:
    """One a choice; None where there was nothing to choose."""
    if len(answers) < 2 or not all(isinstance(answer, list) and answer for answer in answers):
        return None
    numbers = [_number(answer[0]) for answer in answers]
    return None if None in numbers else [number for number in numbers if number is not None]


def _has_settings(arguments: Any) -> bool:
    requests = list(arguments.values()) if isinstance(arguments, dict) else arguments
    first = requests[0] if requests else ()
    values = first.values() if isinstance(first, dict) else first
    return any(isinstance(value, dict) for value in values)


def _without(delimiter: str, texts: Sequence[str]) -> list[str] | None:
    """The choices; None where not all begin with the delimiter, or all are one text: choices stand before it then."""
    if not texts or len(set(texts)) == 1 or not all(text.startswith(delimiter) for text in texts):
        return None
    return [text.removeprefix(delimiter) for text in texts]


def _right(target: Any, texts: Sequence[str], delimiter: str) -> frozenset[int]:
    """What the target may mean: an index, or one of the choices; nothing where it is several."""
    indices = {index for index, text in enumerate(texts) if str(target) in (text, text.removeprefix(delimiter))}
    text = str(target)
    if text.isascii() and text.isdecimal() and len(text) < 10:
        indices.add(int(text))
    return frozenset(indices)


def _number(value: Any) -> float | None:
    if isinstance(value, list | dict) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
