"""Holds pruned models against the unpruned one on held-out text, token by token, and tells it in Markdown."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

_AT_ONCE = 16  # sequences of a pass


def fresh(model: Any) -> Any:
    return copy.deepcopy(model)


class Judge:
    """Compares a model at each width with the unpruned one, token by token of held-out text."""

    def __init__(self, model: Any, sequences: list[list[int]]) -> None:
        ordered = sorted(sequences, key=len)
        self._batches = [_padded(ordered[at : at + _AT_ONCE], model.device) for at in range(0, len(ordered), _AT_ONCE)]
        self._reference = [found for _, found in self._log_probabilities(model)]
        self.perplexity = self._score(model)[1]

    @torch.no_grad()
    def _log_probabilities(self, model: Any) -> Iterator[tuple[Tensor, Tensor]]:
        """The tokens that are predicted, and all log-probabilities where they are: [tokens], [tokens, vocab_size]."""
        for tokens, real in self._batches:
            logits = model(tokens, use_cache=False).logits[:, :-1][real[:, 1:]]
            yield tokens[:, 1:][real[:, 1:]], logits.float().log_softmax(-1)

    def by_document(self, model: Any) -> list[tuple[float, float, int]]:
        """Of each sequence, shortest first: KL(unpruned ‖ model) and surprise in nats, and of how many tokens."""
        found = []
        for (_, real), before, (targets, now) in zip(
            self._batches, self._reference, self._log_probabilities(model), strict=True
        ):
            divergences = (before.exp() * (before - now)).sum(1)
            surprises = -now.gather(1, targets[:, None])[:, 0]
            counts = real[:, 1:].sum(1).tolist()
            each = zip(divergences.split(counts), surprises.split(counts), counts, strict=True)
            found += [(float(one.sum()), float(other.sum()), count) for one, other, count in each]
        return found

    def _score(self, model: Any) -> tuple[float, float]:
        """KL(unpruned ‖ model) in nats a token, and perplexity a token."""
        divergences, surprises, counts = zip(*self.by_document(model), strict=True)
        return sum(divergences) / sum(counts), math.exp(sum(surprises) / sum(counts))

    def levels(self, model: Any, ladder: Any, levels: dict[str, int]) -> list[tuple[float, float]]:
        """Divergence and perplexity at the width of each level, which `ladder` sets."""
        found = []
        for width in levels.values():
            ladder.set_width(width)
            found.append(self._score(model))
        return found


def _padded(sequences: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens, and which of them are real; padding stands at the end."""
    tokens = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    real = torch.zeros_like(tokens, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = torch.tensor(sequence)
        real[row, : len(sequence)] = True
    return tokens.to(device), real.to(device)


OURS = "obs, lsq"
GOALS = {"maw, none": {"20": 0.40, "40": 0.45}, "maw-data, none": {"20": 0.65, "40": 0.65}}
"""At most so much of another way's divergence, level by level."""

Measured = list[list[tuple[float, float]]]
"""Of each seed, of each level: divergence and perplexity."""


class Table:
    """Markdown, row by row: median KL, its range over seeds, and median perplexity of each level."""

    def __init__(self, levels: Sequence[str], tell: Callable[[str], None] = print) -> None:
        self._levels = list(levels)
        self._tell = tell
        self.measured: dict[str, Measured] = {}
        tell("| order, repair |" + "".join(f" {level} % |" for level in levels) + " seconds |")
        tell("|---|" + "--:|" * (len(self._levels) + 1))

    def add(self, name: str, measured: Measured, seconds: float = 0.0) -> None:
        self.measured[name] = measured
        cells = []
        for at in range(len(self._levels)):
            divergences = sorted(seed[at][0] for seed in measured)
            perplexity = statistics.median(seed[at][1] for seed in measured)
            median = statistics.median(divergences)
            cells.append(f" {median:.4f} ({divergences[0]:.3f}–{divergences[-1]:.3f}), {perplexity:.2f} |")
        self._tell(f"| {name} |" + "".join(cells) + f" {seconds:.1f} |")

    def summary(self) -> None:
        """Our KL over that of the ways it is held against: the median's over the median, and each seed's."""
        for other, goals in GOALS.items():
            if OURS not in self.measured or other not in self.measured:
                continue
            cells = []
            for at, level in enumerate(self._levels):
                ours, theirs = self._divergences(OURS, at), self._divergences(other, at)
                ratio = statistics.median(ours) / statistics.median(theirs)
                each = sorted(mine / its for mine, its in zip(ours, _as_many(theirs, len(ours)), strict=True))
                goal = f", goal {goals[level]:.2f}" if level in goals else ""
                cells.append(f"{level} % {ratio:.3f} ({each[0]:.3f}–{each[-1]:.3f}{goal})")
            self._tell(f"\n{OURS} over {other}: " + ", ".join(cells))

    def _divergences(self, name: str, at: int) -> list[float]:
        return [seed[at][0] for seed in self.measured[name]]


def _as_many(found: list[float], count: int) -> list[float]:
    """What no seed changes was measured once."""
    return found * count if len(found) == 1 else found
