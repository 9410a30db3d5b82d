"""Levels: how far to prune, as people write it, and the exact width it means.

`40` or `40%` removes that share of the neurons, `2.4x` asks for an expansion ratio
(intermediate_size / hidden_size) and `w4096` for an exact width.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from warehouse.errors import UserError

_PATTERN = re.compile(
    r"(?:(?P<pct>\d{1,15}(?:\.\d+)?)%?|(?P<ratio>\d{1,15}(?:\.\d+)?)x|w(?P<width>\d{1,15}))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Level:
    """One level as asked for; `str()` gives its canonical text, which names it in journals and tables."""

    kind: Literal["pct", "ratio", "width"]
    amount: float

    @classmethod
    def parse(cls, text: str) -> Level:
        """Raises:
        UserError: not a level, or a percentage outside 0–99.
        """
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise UserError(
                f"'{text}' is not a pruning level: write a percentage such as 40, "
                "an expansion ratio such as 2.4x, or an exact width such as w4096."
            )
        if (pct := match["pct"]) is not None:
            if not 0 <= float(pct) <= 99:
                raise UserError(f"Level {text} is outside 0–99 %: choose a percentage of neurons to remove in it.")
            return cls("pct", float(pct))
        if (ratio := match["ratio"]) is not None:
            if float(ratio) <= 0:
                raise UserError(f"Expansion ratio {text} must be above zero.")
            return cls("ratio", float(ratio))
        if int(match["width"]) < 1:
            raise UserError(f"Width {text} must be at least one neuron.")
        return cls("width", int(match["width"]))

    def __str__(self) -> str:
        match self.kind:
            case "pct":
                return f"{self.amount:g}"
            case "ratio":
                return f"{self.amount:g}x"
            case "width":
                return f"w{self.amount:.0f}"

    @property
    def label(self) -> str:
        """The level for people: `40%`, `2.4x`, `w4096`."""
        return f"{self}%" if self.kind == "pct" else str(self)

    def intermediate_size(self, full: int, hidden_size: int, divisor: int | None = None) -> int:
        """The exact width for a model of `full` neurons a layer.

        Percentages follow OptiPFair 0.4.2: `full − min(int(pct / 100 · full), full − 1)`; a ratio is turned
        into the percentage it stands for, as there. `divisor` rounds the width down to a multiple of it.

        Raises:
            UserError: the level would widen the model, or rounding leaves it unpruned, or nothing of it; or the
                divisor is above a quarter of the width, where levels could no longer be told apart.
        """
        if divisor is not None and divisor > full // 4:
            raise UserError(
                f"A divisor of {divisor} is too coarse for {full} neurons a layer: give one of at most {full // 4}."
            )
        match self.kind:
            case "pct":
                pct = self.amount
            case "ratio":
                target = self.amount * hidden_size
                if target > full:
                    raise UserError(
                        f"Level {self} would widen the model: it has {full} neurons a layer, "
                        f"an expansion ratio of {full / hidden_size:g}."
                    )
                pct = (1 - target / full) * 100
            case "width":
                if self.amount > full:
                    raise UserError(f"Level {self} would widen the model: it has {full} neurons a layer.")
                pct = None
        kept = int(self.amount) if pct is None else full - min(int(pct / 100 * full), full - 1)
        if divisor is None or kept == full:
            return kept
        rounded = kept // divisor * divisor
        if rounded == 0:
            raise UserError(f"Level {self} leaves {kept} neurons a layer, fewer than the divisor of {divisor}.")
        return rounded

    def pruning_pct(self, full: int, kept: int) -> float:
        """The share of neurons removed in percent: the one asked for where the width is within a neuron of it, else
        the real one to two decimals.
        """
        if self.kind == "pct" and abs(kept - full * (1 - self.amount / 100)) <= 1:
            return self.amount
        return round(100 * (1 - kept / full), 2)


def level_label(text: str) -> str:
    """A recorded level for people: `40%`, `2.4x`, `w4096`. What is none, as a bundle of others may bring it, stays."""
    level = _recorded(text)
    return text if level is None else level.label


def width_label(text: str, pruning_pct: float) -> str:
    """The width that a level came to: of a percentage what was removed, since a divisor may leave more or less; a ratio
    or a width as asked for.
    """
    level = _recorded(text)
    return f"{pruning_pct:g}%" if level is not None and level.kind == "pct" else text


def _recorded(text: str) -> Level | None:
    try:
        return Level.parse(text)
    except UserError:
        return None


def parse_levels(text: str) -> list[Level]:
    """Levels from a comma-separated list, in the order given.

    Raises:
        UserError: none given, one is not a level, or one is given twice.
    """
    levels = [Level.parse(part) for part in text.split(",") if part.strip()]
    if not levels:
        raise UserError("No pruning level was given: write some, such as 0,20,40.")
    twice = [str(level) for level, count in Counter(levels).items() if count > 1]
    if twice:
        raise UserError(f"Level {', '.join(twice)} is given more than once: each level is evaluated once a run.")
    return levels
