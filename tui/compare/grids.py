"""The tables of Compare: models side by side, which of two loses more, and what improves everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from rich.style import Style

from tui.compare.wording import Pair, column_names, level_name, loser, subject_names
from tui.format import change, count, interval, p_value, value
from tui.results.matrix import CHANCE, at_chance, gain_pct, mark, signed
from tui.widgets.grid import GridColumn
from tui.widgets.palette import Palette
from warehouse.read.grid import UNPRUNED
from warehouse.read.side_by_side import Improvement, Matched, PairTest
from warehouse.records.names import short_name

Shown = Literal["scores", "intervals", "both"]
Cell = tuple[str, Style | None]

_PARTS: dict[Shown, tuple[tuple[str, int], ...]] = {
    "scores": (("score", 9), ("change", 8)),
    "intervals": (("change", 8), ("95 % CI", 11)),
    "both": (("score", 9), ("change", 8), ("95 % CI", 11)),
}
_NAME = 14
_STRONGEST = 60  # a change of so many percent has the strongest colour


def sides_width(subjects: int, shown: Shown) -> int:
    """The cells that the side-by-side table takes."""
    return _NAME + 1 + subjects * sum(width + 1 for _, width in _PARTS[shown])


class SidesModel:
    """Benchmarks down; for each model its score, and its change against itself unpruned with the interval of it."""

    fixed = 1

    def __init__(self, rows: Sequence[Matched], palette: Palette, shown: Shown) -> None:
        self._palette = palette
        self._parts = _PARTS[shown]
        self.subjects: dict[str, Matched] = {}
        self._lines: dict[tuple[Any, ...], dict[str, Matched]] = {}
        for row in sorted(rows, key=lambda r: (r.parameters or 0, r.model, r.method, r.repair != "none", r.subject)):
            self.subjects.setdefault(row.subject, row)
        for row in rows:
            key = (row.benchmark, row.metric, row.filter, row.num_fewshot, row.version)
            self._lines.setdefault(key, {})[row.subject] = row
        self._keys = list(self._lines)
        self._names = subject_names(list(self.subjects.values()))
        self.columns: Sequence[GridColumn] = [GridColumn(("", "", "Benchmark"), _NAME, "left"), *self._headings()]

    def _headings(self) -> list[GridColumn]:
        columns: list[GridColumn] = []
        room = sum(width + 1 for _, width in self._parts)
        names = column_names(list(self.subjects.values()), room - 2)
        for row, shown in zip(self.subjects.values(), names, strict=True):
            neurons = "" if row.intermediate_size is None else f" · {row.intermediate_size}"
            name, level = _over(shown, room), _over(f"{level_name(row)}{neurons}", room)
            start = 0
            for heading, width in self._parts:
                end = start + width + 1
                columns.append(GridColumn((name[start:end], level[start:end], heading), width))
                start = end
        return columns

    def __len__(self) -> int:
        return len(self._keys)

    def line(self, row: int) -> dict[str, Matched]:
        """The models' rows of one benchmark."""
        return self._lines[self._keys[row]]

    def cell(self, row: int, column: int) -> Cell:
        line = self.line(row)
        if column == 0:
            return self._keys[row][0], None
        index, part = divmod(column - 1, len(self._parts))
        found = line.get(list(self.subjects)[index])
        if found is None:
            return "–", self._palette.neutral
        match self._parts[part][0]:
            case "score":
                best = found.rank == 1 and len(line) > 1
                marks = (CHANCE if at_chance(found) else "") + ("★" if best else "")
                return f"{marks} {value(found.value)}".strip(), Style(bold=best)
            case "change":
                return self._change(found)
            case _:
                return interval(found.ci_low_pct, found.ci_high_pct), None

    def _change(self, row: Matched) -> Cell:
        if row.unpruned:
            return UNPRUNED, self._palette.neutral
        gain, sign = gain_pct(row), mark(row)
        if row.kind == "damage" and row.delta is not None:  # a change itself, and of zero there is no percentage
            return f"{sign}{signed(row.delta):>7}", None
        return f"{sign}{change(row.delta_pct):>7}", self._palette.heat(sign, _strength(gain))

    def wins(self) -> list[tuple[str, int, int, str]]:
        """Each model: its name, the benchmarks it is best on, how many were compared, and its size in words; damage is
        no benchmark.
        """
        benchmarks = [line for line in self._lines.values() if all(row.kind != "damage" for row in line.values())]
        compared = [line for line in benchmarks if len(line) > 1]
        return [
            (
                f"{self._names[one]} {level_name(row)}",
                sum(1 for line in compared if one in line and line[one].rank == 1),
                sum(1 for line in compared if one in line),
                "" if row.parameters is None else f" ({count(row.parameters)} parameters)",
            )
            for one, row in self.subjects.items()
            if benchmarks
        ]


class TestsModel:
    """Benchmarks down; what both lose, the difference with its interval, and which of them loses more."""

    fixed = 1

    def __init__(self, pair: Pair | None, palette: Palette) -> None:
        self._pair = pair
        self._palette = palette
        first, second = (pair.first, pair.second) if pair else ("", "")
        self.columns: Sequence[GridColumn] = [
            GridColumn(("", "Benchmark"), _NAME, "left"),
            GridColumn((_last(first, 11), "change"), 11),
            GridColumn((_last(second, 11), "change"), 11),
            GridColumn(("", "differ"), 6),
            GridColumn(("", "95 % CI"), 11),
            GridColumn(("", "Holm p"), 6),
            GridColumn(("", "loses more"), 13, "left"),
        ]

    def __len__(self) -> int:
        return len(self._pair.rows) if self._pair else 0

    def cell(self, row: int, column: int) -> Cell:
        assert self._pair is not None
        found = self._pair.rows[row]
        match column:
            case 0:
                return found.benchmark, None
            case 1 | 2:
                amount = found.first_amount if column == 1 else found.second_amount
                return (value(amount) if found.measure == "value" else change(amount)), None
            case 3:
                return _differs(found.difference, found), None
            case 4:
                return _interval(found), None
            case 5:
                return "" if found.p_holm is None else p_value(found.p_holm), None
            case _:
                return self._verdict(found)

    def _verdict(self, row: PairTest) -> Cell:
        assert self._pair is not None
        word = loser(row, self._pair)
        if row.loses_more in (None, "noise"):
            return word, self._palette.neutral
        most = max(abs(row.first_amount), abs(row.second_amount))
        share = 100 * row.difference / most if row.measure == "value" else row.difference
        return f"▼ {word}", self._palette.heat("▼", _strength(share))


class ImprovingModel:
    fixed = 1

    def __init__(self, rows: Sequence[Improvement], palette: Palette) -> None:
        self._rows = rows
        self._palette = palette
        self.columns: Sequence[GridColumn] = [
            GridColumn(("Benchmark",), 15, "left"),
            GridColumn(("model",), 21, "left"),
            GridColumn(("levels",), 6),
            GridColumn(("least",), 8),
            GridColumn(("most",), 8),
            GridColumn(("at",), 4),
            GridColumn(("beyond", "noise"), 8),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> Cell:
        found = self._rows[row]
        match column:
            case 0:
                return found.benchmark, None
            case 1:
                return short_name(found.model), None
            case 2:
                return str(found.levels), None
            case 3 | 4:
                pct = found.smallest_delta_pct if column == 3 else found.largest_delta_pct
                sign = "▲" if found.clear == found.levels else "△" if not found.tested else "≈"
                return f"{sign}{change(pct):>7}", self._palette.heat(sign, _strength(pct))
            case 5:
                return f"{found.largest_at_pct:g}%", None
            case _:
                return (f"{found.clear} of {found.levels}" if found.tested else "untested"), None


def _differs(difference: float, row: PairTest) -> str:
    """At most six characters, of which an interval has two times five."""
    if row.measure == "percent":
        return change(difference).removesuffix("%")
    return f"{difference:+.3f}".replace("0.", ".", 1) if abs(difference) < 0.9995 else f"{difference:+.2f}"


def _interval(row: PairTest) -> str:
    if row.measure == "percent" or row.ci_low is None or row.ci_high is None:
        return interval(row.ci_low, row.ci_high)
    return f"{_differs(row.ci_low, row)}…{_differs(row.ci_high, row)}"


def _strength(pct: float | None) -> float:
    return 0 if pct is None else min(abs(pct) / _STRONGEST, 1) ** 0.5


def _over(text: str, room: int) -> str:
    """A heading over several columns."""
    return ("▏" + (text if len(text) < room - 1 else text[: room - 3] + "…")).ljust(room)


def _last(text: str, room: int) -> str:
    """The end of a name, which is what tells models of one family apart."""
    return text if len(text) <= room else "…" + text[1 - room :]
