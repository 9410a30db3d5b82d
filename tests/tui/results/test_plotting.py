"""Plots: ticks at round numbers, error bars, logarithmic axes, and nothing outside the lines they are given."""

from __future__ import annotations

from tui.results.plotting import Axis, Plot, Point, Series, legend, log_ticks, nice_ticks


def drawn(plot: Plot, width: int = 60, height: int = 16) -> list[str]:
    return [line.plain for line in plot.lines(width, height, axis="white", muted="white")]


def plot(*points: Point, log: bool = False) -> Plot:
    series = Series("model", points, "blue", "●")
    return Plot(Axis("removed", lambda v: f"{v:g}%", (0, 30, 60)), Axis("acc", log=log), (series,))


def test_ticks_are_round():
    assert nice_ticks(0.21, 0.58, 4) == (0.3, 0.4, 0.5)
    assert nice_ticks(0, 60, 6) == (0, 10, 20, 30, 40, 50, 60)
    assert log_ticks(5, 6000, 4) == (10, 100, 1000)
    assert log_ticks(9, 15, 8) == (10,) or len(log_ticks(9, 15, 8)) == 2


def test_it_fills_the_lines_it_is_given_and_no_more():
    lines = drawn(plot(Point(0, 0.6), Point(30, 0.5), Point(60, 0.2)))
    assert len(lines) == 16
    assert max(map(len, lines)) <= 60
    assert sum(line.count("●") for line in lines) == 3
    assert "0%" in lines[-1]
    assert "60%" in lines[-1]


def test_error_bars_reach_one_standard_error_each_way():
    lines = drawn(plot(Point(0, 0.5, 0.2), Point(30, 0.5), Point(60, 0.5)))
    column = [line[lines[next(i for i, x in enumerate(lines) if "●" in x)].index("●")] for line in lines[1:-2]]
    bar = "".join(column).strip("┈ ")
    assert bar.startswith("┬")
    assert bar.rstrip("┈ ").endswith("┴")
    assert "●" in bar


def test_a_logarithmic_axis_spaces_powers_of_ten_evenly():
    lines = drawn(plot(Point(0, 1), Point(30, 100), Point(60, 10000), log=True))
    rows = [index for index, line in enumerate(lines) if "●" in line]
    assert abs((rows[2] - rows[1]) - (rows[1] - rows[0])) <= 1
    assert "(log)" in lines[0]


def test_what_cannot_be_drawn_is_left_out_and_nothing_at_all_is_said():
    assert "no scores" in drawn(plot(Point(0, float("nan"))))[0]
    assert "too small" in drawn(plot(Point(0, 1.0)), width=20)[0]
    lines = drawn(plot(Point(0, 0.0), Point(30, 10), Point(60, 100), log=True))
    assert sum(line.count("●") for line in lines) == 2


def test_a_legend_breaks_where_it_does_not_fit():
    series = [Series(name, (), "blue", "●") for name in ("one model", "another model", "a third")]
    assert legend(series, 30).plain.count("\n") == 1


def test_chance_is_a_line_that_says_so_and_is_always_in_sight():
    points = (Point(0, 0.8), Point(30, 0.7), Point(60, 0.6))
    with_chance = Plot(plot(*points).x, plot(*points).y, plot(*points).series, chance=0.25)
    [line] = [line for line in drawn(with_chance) if "chance" in line]
    assert line.count("╌") > 20
    assert not any("╌" in line for line in drawn(plot(*points)))
