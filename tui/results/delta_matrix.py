"""The delta matrix as a heat map: benchmarks down, the widths of each model across."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import set_cell_size
from rich.style import Style

from tui.results.matrix import Benchmark, Matrix, Row, View, Width, cell_text, gain_pct, mark, subject_name, z_score
from tui.widgets.grid import Grid, GridColumn
from tui.widgets.palette import Palette

CELL = 8
_WITH_METRIC = 36
_FULL_PCT = 60.0  # a change this large has the strongest colour
_FULL_Z = 12.0


class DeltaMatrix(Grid):
    """Shows a `Matrix` in one of its views. Colour says direction and size; so do the mark and the number."""

    matrix = Matrix((), (), {})
    view: View = "relative"
    whole_cells = True

    def show_matrix(self, matrix: Matrix, view: View) -> None:
        self.matrix = matrix
        self.view = view
        # The metrics' names must not push a level out of sight.
        room = self.outer_size.width - len(matrix.widths) * (CELL + 1)
        self.show(_Model(matrix, view, Palette.of(self), with_metric=room >= _WITH_METRIC))
        self.styles.max_height = self.lines  # what follows stands right below

    def on_resize(self) -> None:
        if self.matrix.widths:
            self.show_matrix(self.matrix, self.view)

    @property
    def place(self) -> tuple[Benchmark, Width] | None:
        """The benchmark and width under the cursor."""
        row, column = self.cursor.y, self.cursor.x - 1
        if row < len(self.matrix.benchmarks) and 0 <= column < len(self.matrix.widths):
            return self.matrix.benchmarks[row], self.matrix.widths[column]
        return None


class _Model:
    fixed = 1

    def __init__(self, matrix: Matrix, view: View, palette: Palette, *, with_metric: bool) -> None:
        self._matrix = matrix
        self._view: View = view
        self._palette = palette
        self._labels = [_label(one, matrix.benchmarks, with_metric=with_metric) for one in matrix.benchmarks]
        longest = max((len(label) for label in self._labels), default=0)
        self.columns: Sequence[GridColumn] = [
            GridColumn(("", "Benchmark"), min(max(longest, 14), 40 if with_metric else 16), "left"),
            *_headings(matrix),
        ]

    def __len__(self) -> int:
        return len(self._matrix.benchmarks)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        if column == 0:
            return self._labels[row], None
        found = self._matrix.cells.get((self._matrix.benchmarks[row], self._matrix.widths[column - 1]))
        return cell_text(found, self._view), self._style(found)

    def _style(self, row: Row | None) -> Style:
        if row is None:
            return self._palette.neutral
        if row["unpruned"]:
            return self._palette.plain
        if self._view == "significance":
            z = z_score(row)
            return self._palette.neutral if z is None else self._palette.heat(mark(row), abs(z) / _FULL_Z)
        gain = gain_pct(row)
        return self._palette.heat(mark(row), 0 if gain is None else math.sqrt(abs(gain) / _FULL_PCT))


def _label(benchmark: Benchmark, among: Sequence[Benchmark], *, with_metric: bool) -> str:
    name = benchmark.name
    same = [one for one in among if one.name == benchmark.name]
    if with_metric:
        name += f" · {benchmark.metric_name}"
    if len(same) > 1:
        if len({one.num_fewshot for one in same}) > 1:
            name += f" {benchmark.num_fewshot}-shot"
        if len({one.version for one in same}) > 1:
            name += " (version not known)" if benchmark.version is None else f" v{benchmark.version}"
        if not with_metric and len({one.metric_name for one in same}) > 1:
            name += f" {benchmark.metric}"
    return name


def _headings(matrix: Matrix) -> list[GridColumn]:
    """Two lines: the model's name over all of its columns, and each width's own."""
    columns: list[GridColumn] = []
    for width, count in matrix.groups():
        room = count * (CELL + 1) - 1
        name = set_cell_size(subject_name(width, matrix.widths), room - 1)
        over = f"▏{name}"
        for index in range(count):
            one = matrix.widths[len(columns)]
            part = over[index * (CELL + 1) : (index + 1) * (CELL + 1)]
            columns.append(GridColumn((part, one.label), CELL))
    return columns
