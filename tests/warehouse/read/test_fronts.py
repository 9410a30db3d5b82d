"""Fronts by hand: which widths are on one, and what noise leaves open."""

from __future__ import annotations

import pytest

from warehouse.read.choose import Candidate, Candidates
from warehouse.read.costs import Cost
from warehouse.read.fronts import Measure, Standing, front, memory_is, placed, standings
from warehouse.read.grid import Benchmark, Cell, Grid, Width


def width(pct: float, **about) -> Width:
    return Width("m", "org/M", "maw", "bf16", f"{pct:g}", pct, 80, not pct, base_conditions="bf16", **about)


def standing(pct: float, quality: float, cost: float, *halves: float | None, pool: str = "one") -> Standing:
    quality_half, cost_half = halves or (0.0, 0.0)
    return Standing(width(pct), Measure(quality, quality_half), Measure(cost, cost_half), "", (pool,))


def places(*points: Standing, lower: bool = False) -> list[str | None]:
    return [one.place for one in placed(points, lower_is_better=lower)]


def test_on_the_front_is_what_no_other_beats_in_both() -> None:
    points = (standing(0, 100, 10), standing(20, 90, 8), standing(40, 85, 9), standing(60, 50, 4))
    assert places(*points) == ["front", "front", "behind", "front"]
    assert front(placed(points), ("one",)) == [(4, 50), (8, 90), (10, 100)]
    assert places(standing(0, 90, 8), standing(20, 90, 8)) == ["front", "front"]  # neither beats the other
    assert places(standing(0, 90, 8), standing(20, 90, 9)) == ["front", "behind"]


def test_where_less_is_better_the_lowest_is_on_the_front() -> None:
    assert places(standing(0, 10, 10), standing(20, 12, 8), standing(40, 13, 9), lower=True) == [
        "front",
        "front",
        "behind",
    ]


@pytest.mark.parametrize(
    ("halves", "place"),
    [
        ((3.0, 0.5), "behind"),  # 5 is more than 3 √2 = 4.24, and 1 than 0.5 √2
        ((3.6, 0.5), "noise"),  # 5.09
        ((3.0, 0.8), "noise"),  # 1.13
        ((None, 0.5), "noise"),
    ],
)
def test_behind_is_behind_beyond_noise_in_both(halves: tuple[float | None, float], place: str) -> None:
    assert places(standing(20, 90, 8, *halves), standing(40, 85, 9, *halves)) == ["front", place]


def test_pools_are_not_compared() -> None:
    assert places(standing(0, 90, 8), standing(20, 80, 9, pool="another")) == ["front", "front"]


def candidate(pct: float, score: float | None, cost: Cost) -> Candidate:
    method = "maw" if pct else "none"
    size = 80 if pct else None
    return Candidate(
        "m", "org/M", method, "none", "bf16" if pct else None, pct, size, score, 1.0 if pct else 0.0, "%", cost
    )


ACC = Benchmark("piqa", "acc", "none", 0, None, "PIQA", "score")


def test_quality_is_what_the_rule_keeps_or_a_benchmarks_score() -> None:
    full, narrow = width(0), width(20)
    cells = {(ACC, full): Cell(value=0.8, stderr=0.01), (ACC, narrow): Cell(value=0.7, stderr=0.02)}
    matrix = Grid((ACC,), (full, narrow), cells)
    costs = Cost(ms=10, ms_noise=0.5, memory=4e9, memory_is="peak"), Cost(memory=3e9, why_unknown="no room")
    priced = Candidates("keeps", "Card", 1, (candidate(0, 100, costs[0]), candidate(20, 90, costs[1])))
    kept = standings(matrix, priced, None, "time")
    assert [one.quality and one.quality.value for one in kept] == [100, 90]
    assert [one.quality and one.quality.half for one in kept] == [0, pytest.approx(1.96, abs=1e-3)]
    assert [one.cost for one in kept] == [Measure(10, 0.5), None]
    assert kept[1].missing == "no room"
    scored = standings(matrix, priced, ACC, "memory")
    assert [one.quality and one.quality.value for one in scored] == [0.8, 0.7]
    assert [one.quality and one.quality.half for one in scored] == pytest.approx([0.0196, 0.0392], abs=1e-4)


def test_a_peak_is_not_held_against_the_weights_alone() -> None:
    costs = (Cost(memory=4e9, memory_is="peak"), Cost(memory=3e9, memory_is="peak"), Cost(memory=2e9))
    priced = Candidates("keeps", "Card", 1, tuple(candidate(20.0 * i, 100 - i, one) for i, one in enumerate(costs)))
    assert memory_is(priced) == "peak"
    matrix = Grid((), (width(0), width(20), width(40)), {})
    last = standings(matrix, priced, None, "memory")[2]
    assert last.cost is None
    assert last.missing == "its peak memory was not measured, its weights alone"
