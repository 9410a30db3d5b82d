"""Compare: models or methods side by side at equal percentage or expansion ratio, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from tui.exporting import Sheet
from tui.format import change, value
from tui.matrix import gain_pct, mark, short_name
from tui.queries import Question, Row, Rows, choices, chosen, subject
from tui.screens.choose import ChooseSeveral
from tui.screens.reading import NO_RESULTS, ReadingScreen
from tui.widgets.delta_matrix import Palette
from tui.widgets.grid import Grid, GridColumn
from tui.widgets.key_footer import KeyFooter

_PANES = ("side by side", "best level", "improves everywhere")
_BASES = ("percentage", "expansion ratio")


class CompareScreen(ReadingScreen):
    """Three panes: on a wide terminal all of them, else one at a time."""

    CSS_PATH = "../styles/compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "models", "Models", tooltip="Choose what to compare: two or more models or methods"),
        Binding("e", "basis", "Equal % / ratio", tooltip="Match widths by percentage removed or by expansion ratio"),
        Binding("right_square_bracket", "step(1)", "Next width", key_display="]", tooltip="The next width in common"),
        Binding("left_square_bracket", "step(-1)", "Previous", key_display="[", tooltip="The width before"),
        Binding("b", "pane", "Best level…", tooltip="Side by side, best level, or what improves everywhere"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[str] | None = None
        self.basis = "percentage"
        self.at: float | None = None
        self.pane = 0
        self._known: Rows = []
        self._matched: Rows = []
        self._levels: Rows = []
        self._improving: Rows = []

    def compose(self) -> ComposeResult:
        yield Static(id="compare-title", classes="title")
        yield Static(id="compare-said", classes="said")
        yield Static(NO_RESULTS, id="compare-empty", classes="empty")
        with Horizontal(id="compare-body"):
            with Vertical(id="compare-sides", classes="pane"):
                yield Static(id="compare-basis")
                yield Grid(by_row=True, id="sides")
                yield Static(id="compare-verdict")
            with Vertical(id="compare-answers"):
                with VerticalScroll(id="compare-best", classes="pane"):
                    yield Static("Best level", classes="title")
                    yield Static(id="best")
                with Vertical(id="compare-improving", classes="pane"):
                    yield Static("Improves at every level", classes="title")
                    yield Grid(by_row=True, id="improving")
                    yield Static(id="improving-says")
        yield KeyFooter()

    def on_mount(self) -> None:
        self.query_one("#compare-empty").display = False
        self.query_one("#compare-said").display = False
        self.query_one("#compare-body").display = False
        self._title("reading…")
        self.app.theme_changed_signal.subscribe(self, lambda _: self._levels and self._draw())
        self._show_pane()

    # Reading

    def reload(self) -> None:
        if not self.database.exists():
            self._nothing()
            return
        self.ask("choices", [choices()], self._offer)

    def _offer(self, answers: list[Rows]) -> None:
        [self._known] = answers
        if not self._known:
            self._nothing()
            return
        known = [subject(row) for row in self._known]
        if self.subjects is not None:
            self.subjects = [one for one in self.subjects if one in known] or None
        if self.subjects is None:
            self.subjects = [subject(row) for row in _alike(self._known)]
        self._read()

    def _read(self) -> None:
        self.ask(
            "compare",
            [self.question("matrix_matched"), self.question("matrix_levels"), self.question("matrix_improvements")],
            self._show,
        )

    def question(self, name: str) -> Question:
        return chosen(name, self.subjects or [], basis=self.basis)

    def _show(self, answers: list[Rows]) -> None:
        first = not self._levels
        self._matched, self._levels, self._improving = answers
        self.query_one("#compare-empty").display = False
        self.query_one("#compare-body").display = True
        values = self.values()
        if self.at not in values:
            self.at = max(values, key=self._interest, default=None)
        self._draw()
        if first and self.focused is None:
            self.query_one("#sides").focus()

    def _nothing(self) -> None:
        self._title("")
        self.query_one("#compare-body").display = False
        self.query_one("#compare-empty").display = True

    def said(self, message: str) -> None:
        line = self.query_one("#compare-said", Static)
        line.display = bool(message)
        if message and self._levels:
            message = f"Not refreshed, these are the last figures read. {message}"
        line.update(Text(message))
        if message and not self._levels:
            self._title("")

    # Drawing

    def values(self) -> list[float]:
        """The percentages or expansion ratios that at least two of the chosen were measured at."""
        return sorted({row["basis_value"] for row in self._matched}, reverse=self.basis != "percentage")

    def _interest(self, at: float) -> tuple[bool, int]:
        """Where to begin: at a width that is not merely the full one, with as many models as possible."""
        rows = self._rows_at(at)
        return any(not row["unpruned"] for row in rows), len({row["subject"] for row in rows})

    def _rows_at(self, at: float | None) -> Rows:
        return [row for row in self._matched if row["basis_value"] == at]

    def _draw(self) -> None:
        rows = self._rows_at(self.at)
        palette = Palette.of(self.query_one("#sides", Grid))
        sides = _Sides(rows, palette)
        grid = self.query_one("#sides", Grid)
        grid.show(sides)
        grid.styles.max_height = len(sides) + 4
        self.query_one("#compare-basis", Static).update(self._widths())
        self.query_one("#compare-verdict", Static).update(self._verdict(sides))
        self.query_one("#best", Static).update(_best(self._levels))
        improving = self.query_one("#improving", Grid)
        improving.show(_Improving(self._improving, palette))
        improving.styles.height = len(self._improving) + 1 if self._improving else 0
        self.query_one("#improving-says", Static).update(_improving_says(self._improving))
        self._title(f"{len(self.subjects or [])} of {len(self._known)} · {_PANES[self.pane]}")

    def _title(self, said: str) -> None:
        text = Text("Compare", no_wrap=True, overflow="ellipsis")
        text.append(f"  {said}", "not bold")
        self.query_one("#compare-title", Static).update(text)

    def _widths(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        what = "Equal percentage removed " if self.basis == "percentage" else "Equal expansion ratio "
        text.append(what, "bold")
        values = self.values()
        if not values:
            return text.append("– none in common")
        for one in values:
            text.append(f" {self._width_name(one)} ", "reverse bold" if one == self.at else "dim")
        return text

    def _width_name(self, at: float) -> str:
        if self.basis == "percentage":
            return "full" if at == 0 else f"{at:g}%"
        return f"{at:g}×"

    def _verdict(self, sides: _Sides) -> Text:
        if not sides.subjects:
            if len(self.subjects or []) < 2:
                return Text("There is one model only: m chooses others to compare it with.")
            other = (
                "e compares at equal expansion ratio"
                if self.basis == "percentage"
                else "e compares at equal percentage"
            )
            return Text(f"No width in common under these conditions: {other}, m chooses others.")
        text = Text()
        for name, first, compared, sizes in sides.wins():
            text.append(f"{name} ", "bold").append(f"is best on {first} of {compared}{sizes}\n")
        return text.append("★ best value; ▲ ▼ ≈ against the same model unpruned", "dim")

    def _show_pane(self) -> None:
        for index, name in enumerate(("sides", "best", "improving")):
            self.set_class(index == self.pane, f"-show-{name}")

    # Actions

    def action_pane(self) -> None:
        self.pane = (self.pane + 1) % len(_PANES)
        self._show_pane()
        self._title(f"{len(self.subjects or [])} of {len(self._known)} · {_PANES[self.pane]}")
        self.query_one(("#sides", "#compare-best", "#improving")[self.pane]).focus()

    def action_basis(self) -> None:
        self.basis = _BASES[1 - _BASES.index(self.basis)]
        self.at = None
        if self.subjects:
            self._read()

    def action_step(self, step: int) -> None:
        values = self.values()
        if values:
            now = values.index(self.at) if self.at in values else 0
            self.at = values[min(max(now + step, 0), len(values) - 1)]
            self._draw()

    def action_models(self) -> None:
        if not self._known:
            return
        options = [
            (subject(row), f"{row['model']} · {row['method'] or '–'} · {row['conditions'] or 'conditions not known'}")
            for row in self._known
        ]

        def take(subjects: list[str] | None) -> None:
            if subjects is not None:
                self.subjects = subjects
                self.at = None
                self._read()

        self.app.push_screen(ChooseSeveral("Compare which?", options, self.subjects or []), take)

    def sheet(self) -> Sheet | None:
        """The table of the pane that has the focus."""
        focused = self.focused
        where = focused.id if focused is not None else None
        if where == "improving" or (where != "sides" and self.pane == 2):
            return _sheet(
                "Benchmarks that improve at every level", self._improving, self.question("matrix_improvements")
            )
        if where == "compare-best" or (where != "sides" and self.pane == 1):
            return _sheet("Levels over all benchmarks", self._levels, self.question("matrix_levels"))
        title = f"Side by side at {'' if self.at is None else self._width_name(self.at)}, equal {self.basis}"
        return _sheet(title, self._rows_at(self.at), self.question("matrix_matched"))


def _alike(known: Rows) -> Rows:
    """The largest group that was measured under the same conditions: others could not be compared."""
    groups: dict[Any, Rows] = {}
    for row in known:
        groups.setdefault(row["conditions"], []).append(row)
    return max(groups.values(), key=lambda rows: (len(rows) > 1, max(row["latest"] for row in rows)))[:6]


def _sheet(title: str, rows: Rows, question: Question) -> Sheet | None:
    if not rows:
        return None
    columns = tuple(name for name in rows[0] if name not in ("subject", "position"))
    return Sheet(title, columns, tuple(tuple(row[name] for name in columns) for row in rows), question.sql())


class _Sides:
    """Benchmarks down; for each model its score and its change against itself unpruned."""

    fixed = 1

    def __init__(self, rows: Rows, palette: Palette) -> None:
        self._palette = palette
        self.subjects: dict[str, Row] = {}
        self._lines: dict[tuple[Any, ...], dict[str, Row]] = {}
        for row in sorted(rows, key=lambda r: (r["parameters"] or 0, r["subject"])):
            self.subjects.setdefault(row["subject"], row)
        for row in rows:
            key = (row["benchmark"], row["metric"], row["filter"], row["num_fewshot"], row["version"])
            self._lines.setdefault(key, {})[row["subject"]] = row
        self._keys = list(self._lines)
        self.columns: Sequence[GridColumn] = [GridColumn(("", "", "Benchmark"), 16, "left"), *self._headings()]

    def _headings(self) -> list[GridColumn]:
        columns: list[GridColumn] = []
        for row in self.subjects.values():
            name = _over(self._short(row))
            neurons = "" if row["intermediate_size"] is None else f" · {row['intermediate_size']}"
            level = _over(f"{_pct(row)}{neurons}")
            columns += [
                GridColumn((name[:10], level[:10], "score"), 9),
                GridColumn((name[10:], level[10:], "change"), 8),
            ]
        return columns

    def _short(self, row: Row) -> str:
        methods = {one["method"] for one in self.subjects.values()}
        return short_name(row["model"]) + (f" {row['method']}" if len(methods) > 1 else "")

    def name(self, row: Row) -> str:
        return f"{self._short(row)} {_pct(row)}"

    def __len__(self) -> int:
        return len(self._keys)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        key = self._keys[row]
        if column == 0:
            return key[0], None
        one = list(self.subjects)[(column - 1) // 2]
        found = self._lines[key].get(one)
        if found is None:
            return "–", self._palette.neutral
        if column % 2:
            best = found["rank"] == 1 and len(self._lines[key]) > 1
            return ("★ " if best else "") + value(found["value"]), Style(bold=best)
        if found["unpruned"]:
            return "full", self._palette.neutral
        gain = gain_pct(found)
        sign = mark(found)
        strength = 0 if gain is None else min(abs(gain) / 60, 1) ** 0.5
        return f"{sign}{change(found['delta_pct']):>7}", self._palette.heat(sign, strength)

    def wins(self) -> list[tuple[str, int, int, str]]:
        compared = [line for line in self._lines.values() if len(line) > 1]
        return [
            (
                self.name(row),
                sum(1 for line in compared if one in line and line[one]["rank"] == 1),
                sum(1 for line in compared if one in line),
                "" if row["parameters"] is None else f" ({row['parameters'] / 1e6:,.0f} M parameters)",
            )
            for one, row in self.subjects.items()
        ]


def _pct(row: Row) -> str:
    return "full" if row["unpruned"] else f"{row['pruning_pct']:g}%"


def _over(text: str) -> str:
    """A heading over two columns: 18 cells."""
    return ("▏" + (text if len(text) < 17 else text[:15] + "…")).ljust(18)


def _best(levels: Rows) -> Text:
    """For each model: the level that keeps most, why it wins, and what the next one would cost."""
    text = Text()
    for one in dict.fromkeys(row["subject"] for row in levels):
        rows = [
            row for row in levels if row["subject"] == one and not row["unpruned"] and row["retained_pct"] is not None
        ]
        if not rows:
            continue
        most = max(row["benchmarks"] for row in rows)
        ranked = sorted(
            rows,
            key=lambda r: (-r["benchmarks"], -r["retained_pct"], r["parameters"] or 0, -r["pruning_pct"]),
        )
        best = ranked[0]
        text.append(f"{short_name(best['model'])}: {_level(best)}\n", "bold")
        text.append(
            f"keeps {best['retained_pct']:.1f}% of the unpruned scores on average over {best['benchmarks']} "
            f"benchmarks{_with_parameters(best)}; {best['improved']} improve. "
            f"Worst: {best['worst_benchmark']}, {best['worst_retained_pct']:.0f}% kept.\n"
        )
        others = [row for row in ranked[1:] if row["benchmarks"] == most]
        if others:
            then = others[0]
            text.append(f"Next: {_level(then)} keeps {then['retained_pct']:.1f}%{_with_parameters(then)}.\n", "dim")
        if len(ranked) > len(others) + 1:
            text.append(f"{len(ranked) - len(others) - 1} levels with fewer benchmarks measured cannot win.\n", "dim")
        text.append("\n")
    return text if text.plain else Text("No pruned level was measured together with the unpruned model yet.")


def _level(row: Row) -> str:
    neurons = "" if row["intermediate_size"] is None else f" ({row['intermediate_size']} neurons"
    ratio = "" if row["expansion_ratio"] is None else f", {row['expansion_ratio']:.2f}×"
    return f"{row['pruning_pct']:g}%{neurons}{ratio}{')' if neurons else ''}"


def _with_parameters(row: Row) -> str:
    return "" if row["parameters_pct"] is None else f", with {row['parameters_pct']:.0f}% of the parameters"


class _Improving:
    fixed = 1

    def __init__(self, rows: Rows, palette: Palette) -> None:
        self._rows = rows
        self._palette = palette
        self.columns: Sequence[GridColumn] = [
            GridColumn(("Benchmark",), 15, "left"),
            GridColumn(("model",), 21, "left"),
            GridColumn(("levels",), 6),
            GridColumn(("least",), 8),
            GridColumn(("most",), 8),
            GridColumn(("at",), 4),
            GridColumn(("clear",), 6),
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        found = self._rows[row]
        match column:
            case 0:
                return found["benchmark"], None
            case 1:
                return short_name(found["model"]), None
            case 2:
                return str(found["levels"]), None
            case 3 | 4:
                pct = found["smallest_delta_pct" if column == 3 else "largest_delta_pct"]
                return f"▲{change(pct):>7}", self._palette.heat("▲", min(abs(pct or 0) / 60, 1) ** 0.5)
            case 5:
                return f"{found['largest_at_pct']:g}%", None
            case _:
                return (f"{found['clear']}/{found['levels']}" if found["with_stderr"] else "no se"), None


def _improving_says(rows: Rows) -> Text:
    if not rows:
        return Text("No benchmark is better than the unpruned model at every level measured.")
    return Text("clear: levels where the gain exceeds 1.96 of its standard errors", "dim")
