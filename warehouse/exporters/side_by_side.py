"""Models, methods and levels side by side: one table, benchmarks down, a column for each width of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby

from warehouse.exporters import latex as tex
from warehouse.exporters import markdown as md
from warehouse.exporters.csv_text import csv_text
from warehouse.exporters.delta_markdown import cell_text
from warehouse.exporters.exporter import Layout
from warehouse.exporters.significance import Shown, footnotes
from warehouse.read.grid import Benchmark, Results, Width

CellText = Callable[[Benchmark, Width], str]


@dataclass(frozen=True, slots=True)
class Column:
    """`group` is the model and what it was pruned with, as far as columns differ in them; it may be empty."""

    width: Width
    group: str

    @property
    def title(self) -> str:
        return f"{self.group} {self.width.label}".strip()


def columns(grid: Results, called: Callable[[str], str]) -> list[Column]:
    """The grid's widths in its order. The unpruned model that several methods share stands once, before them; what all
    columns have in common is in no title. `called` has the names of models.
    """
    widths = list[Width]()
    unpruned = set[tuple[object, ...]]()
    for width in sorted(grid.columns, key=lambda one: _order(one, grid.columns)):
        if width.unpruned:
            scores = tuple(repr(cell.value) if (cell := grid.at(row, width)) else None for row in grid.rows)
            same = (width.model_id, width.base_conditions or width.conditions, scores)
            if same in unpruned:
                continue
            unpruned.add(same)
        widths.append(width)
    models = {width.model for width in widths}
    ways = {width.pruned_with for width in widths if not width.unpruned}

    def group(width: Width, *, with_conditions: bool = False) -> str:
        shared = width.unpruned and len(_ways_of(width, widths)) > 1
        parts = [called(width.model)] if len(models) > 1 else []
        parts += [width.pruned_with.upper()] if len(ways) > 1 and not shared else []
        parts += [f"({width.conditions or 'conditions not known'})"] if with_conditions else []
        return " ".join(parts)

    twice = Counter((group(width), width.label) for width in widths)
    return [Column(one, group(one, with_conditions=twice[group(one), one.label] > 1)) for one in widths]


def lined_up(grid: Results, text: CellText, called: Callable[[str], str]) -> str:
    """The table in Markdown, and which runs it is of; `text` is Markdown already."""
    shown = columns(grid, called)
    names = row_names(grid.rows)
    header = ["Benchmark", "Metric", *(md.escape(column.title) for column in shown)]
    rows = [
        [md.escape(names[row]), md.escape(row.metric_name), *(text(row, column.width) for column in shown)]
        for row in grid.rows
    ]
    heading = f"### {', '.join(md.escape(model) for model in dict.fromkeys(one.model for one in grid.columns))}"
    table = md.table_lines(header, rows, right=range(2, len(header)))
    return "\n\n".join([heading, table, *(md.escape(line) for line in sources(grid))])


def deltas_markdown(grid: Results, layout: Layout) -> str:
    show = Shown(layout.significance, layout.intervals)

    def text(row: Benchmark, width: Width) -> str:
        return cell_text(grid.at(row, width), row, width, show)

    parts = [
        lined_up(grid, text, layout.called),
        "In parentheses: change against the unpruned model; bold: beyond noise, gain or loss, after Holm's correction "
        f"over the benchmarks of its level. prune-tui {version('prune-tui')}.",
        *footnotes(grid, show),
    ]
    notes = dict.fromkeys(note for cell in grid.cells.values() for note in (cell.footnote or "").split("; ") if note)
    if notes:
        parts.append(f"Note: {md.escape('; '.join(notes))}.")
    return "\n\n".join(parts) + "\n"


def deltas_latex(grid: Results, layout: Layout) -> str:
    """Booktabs' rules; groups over their levels where columns differ in more than these."""
    shown = columns(grid, layout.called)
    names = row_names(grid.rows)
    heads = [(group, len(list(of))) for group, of in groupby(column.group for column in shown)]
    lines = ["% \\usepackage{booktabs}", *(f"% {tex.comment(line)}" for line in sources(grid))]
    lines += [f"% {tex.BOLD}; prune-tui {version('prune-tui')}"]
    lines += [f"\\begin{{tabular}}{{l{'r' * len(shown)}}}", "\\toprule"]
    if any(group for group, _ in heads):
        over = [rf"\multicolumn{{{count}}}{{c}}{{{tex.escape(group)}}}" for group, count in heads]
        lines.append(f" & {' & '.join(over)} \\\\")
        start = 2
        rules = list[str]()
        for _, count in heads:
            rules.append(rf"\cmidrule(lr){{{start}-{start + count - 1}}}")
            start += count
        lines.append(" ".join(rules))
    lines += [f"Benchmark & {' & '.join(tex.escape(column.width.label) for column in shown)} \\\\", "\\midrule"]
    for row in grid.rows:
        name = layout.short.get(row.name) or layout.short.get(row.task) or names[row]
        cells = [tex.cell_text(grid.at(row, column.width), row, column.width, layout) for column in shown]
        lines.append(f"{' & '.join([tex.escape(name), *cells])} \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def deltas_csv(grid: Results, layout: Layout) -> str:
    """For each column its value, and where it was pruned its change in percent, with all digits."""
    shown = columns(grid, layout.called)
    header = ["benchmark", "metric", "filter", "num_fewshot"]
    for column in shown:
        header += [column.title] if column.width.unpruned else [column.title, f"{column.title} change in %"]
    rows = list[list[object]]()
    for row in grid.rows:
        values: list[object] = [row.name, row.metric, row.filter, row.num_fewshot]
        for column in shown:
            cell = grid.at(row, column.width)
            values.append(cell.value if cell else None)
            if not column.width.unpruned:
                values.append(cell.delta_pct if cell else None)
        rows.append(values)
    return csv_text(header, rows)


def sources(grid: Results) -> list[str]:
    """A sentence for each model, method and set of conditions: which runs it is of."""
    runs = dict[tuple[str, str, str | None, str | None], set[str]]()
    for (_, width), cell in grid.cells.items():
        key = (width.model, width.pruned_with, width.conditions, width.calibration)
        runs.setdefault(key, set()).update([cell.run_id] if cell.run_id else [])
    return [
        f"{model}, {way.upper()}: {conditions or 'conditions not known'}"
        f"{f'; calibrated on {calibration}' if calibration else ''}; runs {', '.join(sorted(ids))}."
        for (model, way, conditions, calibration), ids in runs.items()
    ]


def row_names(rows: Sequence[Benchmark]) -> dict[Benchmark, str]:
    """Of two with one name, each with its metric and examples."""
    twice = Counter(row.name for row in rows)
    return {
        row: row.name if twice[row.name] == 1 else f"{row.name} ({row.metric_name}, {row.num_fewshot}-shot)"
        for row in rows
    }


def _ways_of(width: Width, widths: Sequence[Width]) -> set[str]:
    """What the model was pruned with in columns of the same unpruned width."""
    return {one.pruned_with for one in widths if one.model_id == width.model_id and not one.unpruned}


def _order(width: Width, widths: Sequence[Width]) -> tuple[int, bool]:
    """As they stand, but a model's unpruned widths first of it."""
    models = list(dict.fromkeys(one.model_id for one in widths))
    return models.index(width.model_id), not width.unpruned
