"""The fronts of quality against a cost: which widths no other one beats in both, and what noise leaves open."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

from warehouse.read.choose import Candidate, Candidates
from warehouse.read.costs import Cost
from warehouse.read.grid import Benchmark, Results, Width

Price = Literal["memory", "time", "energy"]
PRICES: tuple[Price, ...] = ("memory", "time", "energy")
Place = Literal["front", "noise", "behind"]
_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with half of its 95 % interval; None where that is not known."""

    value: float
    half: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A width between quality and cost; what was not measured is None, and `missing` says why.

    `place` is `front` where no other width is as good for as little, and better in one of the two; `behind` where one
    is, in both beyond noise; `noise` between them. Widths of different `pool`s are not compared.
    """

    width: Width
    quality: Measure | None
    cost: Measure | None
    missing: str
    pool: tuple[Any, ...]
    place: Place | None = None


def standings(matrix: Results, priced: Candidates, benchmark: Benchmark | None, price: Price) -> list[Standing]:
    """Every width of the matrix by one benchmark, or (None) by the score of the rule in use, against one price.

    Scores of a benchmark are compared under the same conditions whoever has them, those of a rule within a model: they
    are shares of its own scores.
    """
    scored = {_key(one): one for one in priced.candidates}
    unpruned = {one.model_id: one for one in priced.candidates if not one.pruning_pct}
    kind = memory_is(priced)
    found: list[Standing] = []
    lower = False
    for width in matrix.columns:
        one = unpruned.get(width.model_id) if width.unpruned else scored.get(_key(width))
        cost, why = _cost(one.cost if one is not None else Cost(why_unknown="it was not profiled"), price, kind)
        if benchmark is None:
            quality = None if one is None or one.score is None else _measure(one.score, one.score_stderr)
            if quality is None:
                why = "; ".join(one.unknown) if one is not None and one.unknown else "the rule has no score for it"
            pool = (width.model_id, width.base_conditions)
        else:
            cell = matrix.at(benchmark, width)
            known = cell is not None and cell.value is not None and math.isfinite(cell.value)
            quality = _measure(cell.value or 0.0, cell.stderr) if cell is not None and known else None
            lower |= cell is not None and cell.higher_is_better is False
            why = why if known else "it was not scored"
            pool = (width.base_conditions,)
        found.append(Standing(width, quality, cost, why, pool))
    return placed(found, lower_is_better=lower)


def placed(standings: Sequence[Standing], *, lower_is_better: bool = False) -> list[Standing]:
    """The same with their places."""
    return [replace(one, place=_place(one, standings, -1 if lower_is_better else 1)) for one in standings]


def _place(one: Standing, others: Sequence[Standing], sign: int) -> Place | None:
    if one.quality is None or one.cost is None:
        return None
    result: Place = "front"
    for other in others:
        if other.pool != one.pool or other.quality is None or other.cost is None:
            continue
        better = sign * (other.quality.value - one.quality.value)
        cheaper = one.cost.value - other.cost.value
        if better < 0 or cheaper < 0 or not (better or cheaper):
            continue
        if better >= _noise(other.quality, one.quality) and cheaper >= _noise(other.cost, one.cost):
            return "behind"
        result = "noise"
    return result


def front(standings: Sequence[Standing], pool: tuple[Any, ...]) -> list[tuple[float, float]]:
    """(Cost, quality) of those on the front of a pool, the cheapest first."""
    points = {
        (one.cost.value, one.quality.value)
        for one in standings
        if one.place == "front" and one.pool == pool and one.cost is not None and one.quality is not None
    }
    return sorted(points)


def _noise(one: Measure, other: Measure) -> float:
    """Half of the 95 % interval of a difference, the two taken as independent; without end where it is not known."""
    return math.inf if one.half is None or other.half is None else math.hypot(one.half, other.half)


def _measure(value: float, stderr: float | None) -> Measure:
    return Measure(value, None if stderr is None else _Z95 * stderr)


def _key(one: Width | Candidate) -> tuple[Any, ...]:
    return one.model_id, one.method, one.repair, one.conditions, one.pruning_pct, one.intermediate_size


def memory_is(priced: Candidates) -> str:
    """Peak or weights, which are not held against each other: what most widths have, peaks where it is even."""
    kinds = Counter(one.cost.memory_is for one in priced.candidates if one.cost.memory is not None)
    return max(kinds, key=lambda kind: (kinds[kind], kind == "peak"), default="peak")


def _cost(cost: Cost, price: Price, memory_kind: str) -> tuple[Measure | None, str]:
    """And why there is none."""
    match price:
        case "time":
            return (None, cost.why_unknown) if cost.ms is None else (Measure(cost.ms, cost.ms_noise), "")
        case "energy":
            if cost.joules is None:
                return None, cost.why_no_joules or cost.why_unknown or "its energy was not measured"
            return Measure(cost.joules, cost.joules_noise), ""
        case "memory":
            if cost.memory is None:
                return None, cost.why_unknown or "its memory was not measured"
            if cost.memory_is != memory_kind:
                return None, f"its {memory_kind} memory was not measured, its {cost.memory_is} alone"
            return Measure(cost.memory, 0.0), ""
