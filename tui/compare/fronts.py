"""Quality against memory, time or energy, as a plot and as lines of a table; the front is marked in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.results.matrix import subject_name
from tui.results.plot_widget import series_colour, series_marker
from tui.results.plotting import Axis, Plot, Point, Series
from warehouse.numbers import decimal_bytes
from warehouse.read.choose import Candidates
from warehouse.read.fronts import Measure, Place, Price, Standing, front, memory_is
from warehouse.read.grid import Benchmark

PLACES: dict[Place | None, str] = {"front": "on the front", "noise": "within noise", "behind": "behind", None: ""}
_MARKS: dict[Place | None, str] = {"front": "", "noise": "◌", "behind": "·", None: ""}
_FRONT = "the front"


@dataclass(frozen=True, slots=True)
class Line:
    """A width in the table, as words."""

    subject: str
    level: str
    quality: str
    cost: str
    place: str


def price_name(price: Price, priced: Candidates) -> str:
    match price:
        case "memory":
            return "peak memory" if memory_is(priced) == "peak" else "bytes of the weights"
        case "time":
            return "ms a token"
        case "energy":
            return "joules a token"


def quality_name(benchmark: Benchmark | None, priced: Candidates) -> str:
    if benchmark is not None:
        return f"{benchmark.name}, {benchmark.metric_name}"
    unit = next((one.unit for one in priced.candidates), "%")
    return f"{unit} kept, by the rule {priced.rule}"


def front_plot(
    standings: Sequence[Standing],
    benchmark: Benchmark | None,
    price: Price,
    priced: Candidates,
    *,
    dark: bool,
    line: str,
) -> Plot:
    """Each width a point with its level and its 95 % intervals; `line` is the colour of the fronts' steps."""
    pools = list(dict.fromkeys(one.pool for one in standings))
    fronts = [Series(_FRONT, _steps(front(standings, pool)), line, "─") for pool in pools]
    columns = [one.width for one in standings]
    subjects: dict[str, list[Standing]] = {}
    for one in standings:
        subjects.setdefault(subject_name(one.width, columns), []).append(one)
    series = [
        Series(
            name, tuple(filter(None, map(_point, of))), series_colour(at, dark=dark), series_marker(at), joined=False
        )
        for at, (name, of) in enumerate(subjects.items())
    ]
    x = Axis(price_name(price, priced), lambda v: _price(v, price))
    y = Axis(quality_name(benchmark, priced), log=benchmark is not None and benchmark.kind == "perplexity")
    return Plot(x, y, tuple(one for one in (*fronts, *series) if one.points))


def table(standings: Sequence[Standing], benchmark: Benchmark | None, price: Price, priced: Candidates) -> list[Line]:
    columns = [one.width for one in standings]
    return [
        Line(
            subject_name(one.width, columns),
            one.width.label,
            _measured(one.quality, lambda v: f"{v:.1f}" if benchmark is None else f"{v:.4g}"),
            _measured(one.cost, lambda v: _price(v, price)),
            PLACES[one.place] if one.place else one.missing or "not measured",
        )
        for one in standings
    ]


def _steps(points: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    """What can be had for at most so much: it changes where the next width can be paid."""
    found: list[Point] = []
    for cost, quality in points:
        if found:
            found.append(Point(cost, found[-1].y, marker=""))
        found.append(Point(cost, quality, marker=""))
    return tuple(found)


def _point(one: Standing) -> Point | None:
    if one.quality is None or one.cost is None:
        return None
    marker = _MARKS[one.place] or None
    label = "full" if one.width.unpruned else one.width.label
    return Point(one.cost.value, one.quality.value, one.quality.half, one.cost.half, marker, label)


def _measured(one: Measure | None, words: Callable[[float], str]) -> str:
    if one is None:
        return ""
    return words(one.value) + ("" if not one.half else f" ± {words(one.half)}")


def _price(value: float, price: Price) -> str:
    return decimal_bytes(value) if price == "memory" else f"{value:.3g}"
