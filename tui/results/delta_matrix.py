"""The delta matrix as a heat map: benchmarks down, the widths of each model across."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import set_cell_size
from rich.style import Style

from tui.results.matrix import Matrix, View, cell_text, gain_pct, groups, mark, subject_name, z_score
from tui.widgets.grid import Grid, GridColumn
from tui.widgets.palette import Palette
from warehouse.read.grid import Benchmark, Cell, Width

CELL = 8
_WITH_METRIC = 36
_FULL_PCT = 60.0  # a change this large has the strongest colour
_FULL_Z = 12.0


class DeltaMatrix(Grid):
    """Shows a `Matrix` in one of its views. Colour says direction and size; so do the mark and the number."""

    matrix = Matrix()
    view: View = "relative"
    whole_cells = True

    def show_matrix(self, matrix: Matrix, view: View) -> None:
        self.matrix = matrix
        self.view = view
        # The metrics' names must not push a level out of sight.
        room = self.outer_size.width - len(matrix.columns) * (CELL + 1)
        self.show(_Model(matrix, view, Palette.of(self), with_metric=room >= _WITH_METRIC))
        self.styles.max_height = self.lines  # what follows stands right below

    def on_resize(self) -> None:
        if self.matrix.columns:
            self.show_matrix(self.matrix, self.view)

    @property
    def place(self) -> tuple[Benchmark, Width] | None:
        """The benchmark and width under the cursor."""
        row, column = self.cursor.y, self.cursor.x - 1
        if row < len(self.matrix.rows) and 0 <= column < len(self.matrix.columns):
            return self.matrix.rows[row], self.matrix.columns[column]
        return None


class _Model:
    fixed = 1

    def __init__(self, matrix: Matrix, view: View, palette: Palette, *, with_metric: bool) -> None:
        self._matrix = matrix
        self._view: View = view
        self._palette = palette
        self._labels = [_label(one, matrix.rows, with_metric=with_metric) for one in matrix.rows]
        longest = max((len(label) for label in self._labels), default=0)
        self.columns: Sequence[GridColumn] = [
            GridColumn(("", "Benchmark"), min(max(longest, 14), 40 if with_metric else 16), "left"),
            *_headings(matrix),
        ]

    def __len__(self) -> int:
        return len(self._matrix.rows)

    def cell(self, row: int, column: int) -> tuple[str, Style | None]:
        if column == 0:
            return self._labels[row], None
        width = self._matrix.columns[column - 1]
        found = self._matrix.at(self._matrix.rows[row], width)
        return cell_text(found, self._view, unpruned=width.unpruned), self._style(found, width)

    def _style(self, cell: Cell | None, width: Width) -> Style:
        if cell is None:
            return self._palette.neutral
        if width.unpruned:
            return self._palette.plain
        if self._view == "significance":
            z = z_score(cell)
            return self._palette.neutral if z is None else self._palette.heat(mark(cell), abs(z) / _FULL_Z)
        gain = gain_pct(cell)
        return self._palette.heat(mark(cell), 0 if gain is None else math.sqrt(abs(gain) / _FULL_PCT))


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
    for width, count in groups(matrix):
        room = count * (CELL + 1) - 1
        name = set_cell_size(subject_name(width, matrix.columns), room - 1)
        over = f"▏{name}"
        for index in range(count):
            one = matrix.columns[len(columns)]
            part = over[index * (CELL + 1) : (index + 1) * (CELL + 1)]
            columns.append(GridColumn((part, one.label), CELL))
    return columns
