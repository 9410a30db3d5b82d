"""Delta tables as LaTeX: a `tabular` with booktabs' rules. Names of models and tasks stay text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from importlib.metadata import version

from warehouse.exporters.exporter import Layout
from warehouse.numbers import format_change, format_value
from warehouse.read.deltas import Deltas, DeltaTable
from warehouse.read.grid import Benchmark, Cell, Width

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "−": "$-$", "×": r"$\times$",
}  # fmt: skip
BOLD = "bold: beyond noise after Holm's correction over the benchmarks of its level"


def escape(text: str) -> str:
    """The text on one line, with everything that LaTeX would read as a command escaped."""
    line = comment(text)
    return "".join(_SPECIAL.get(character, character) for character in line)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Booktabs' rules around cells that are LaTeX already; the columns in `right` flush right."""
    columns = "".join("r" if at in right else "l" for at in range(len(header)))
    lines = [f"{' & '.join(row)} \\\\" for row in (header, *rows)]
    begin = ["% \\usepackage{booktabs}", f"\\begin{{tabular}}{{{columns}}}", "\\toprule", lines[0], "\\midrule"]
    return "\n".join([*begin, *lines[1:], "\\bottomrule", "\\end{tabular}"]) + "\n"


def latex(deltas: Deltas, layout: Layout) -> str:
    """One table of all the deltas, what it is of in comments above it."""
    tables = deltas.tables
    benchmarks = list(dict.fromkeys(benchmark for table in tables for benchmark in table.grid.rows))
    names = _names(benchmarks, layout)
    header = ["Model", "Pruned", *(escape(names[benchmark]) for benchmark in benchmarks)]
    rows = [_block(table, benchmarks, layout, alone=_alone(table, tables)) for table in tables]
    body = "\n\\midrule\n".join("\n".join(f"{' & '.join(row)} \\\\" for row in block) for block in rows)
    return (
        "\n".join(["% \\usepackage{booktabs}", *(_comment(table) for table in tables)])
        + f"\n\\begin{{tabular}}{{ll{'r' * len(benchmarks)}}}\n\\toprule\n"
        + f"{' & '.join(header)} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"
    )


def _names(benchmarks: list[Benchmark], layout: Layout) -> dict[Benchmark, str]:
    twice = Counter(benchmark.name for benchmark in benchmarks)
    return {
        one: layout.short.get(one.name)
        or layout.short.get(one.task)
        or (one.name if twice[one.name] == 1 else f"{one.name} ({one.metric_name}, {one.num_fewshot}-shot)")
        for one in benchmarks
    }


def _alone(table: DeltaTable, tables: list[DeltaTable]) -> bool:
    return sum(table.model == other.model for other in tables) == 1


def _block(table: DeltaTable, benchmarks: list[Benchmark], layout: Layout, *, alone: bool) -> list[list[str]]:
    """A row for each width; the model stands in the first."""
    name = escape(layout.called(table.model)) + ("" if alone else f" ({escape(table.pruned_with.upper())})")
    return [
        [
            name if at == 0 else "",
            f"{width.pruning_pct:g}\\%",
            *(cell_text(table.grid.at(benchmark, width), benchmark, width, layout) for benchmark in benchmarks),
        ]
        for at, width in enumerate(table.grid.columns)
    ]


def cell_text(cell: Cell | None, benchmark: Benchmark, width: Width, layout: Layout) -> str:
    if cell is None or cell.value is None:
        return "--"
    text = format_value(cell.value, benchmark.kind) if layout.digits is None else f"{cell.value:.{layout.digits}f}"
    if width.unpruned or cell.delta is None or benchmark.kind == "damage":
        return text
    change = escape(format_change(cell.delta_pct)).replace("-", "$-$")
    if cell.verdict in ("gain", "loss"):
        change = rf"\textbf{{{change}}}"
    return f"{text} ({change})"


def _comment(table: DeltaTable) -> str:
    """What a caption has to say, as a comment: no text of others can end it."""
    runs = ", ".join(table.run_ids)
    return "% " + comment(
        f"{table.model}, {table.pruned_with.upper()}; {table.conditions or 'conditions not known'}; "
        f"{f'calibrated on {table.calibration}; ' if table.calibration else ''}runs {runs}; {BOLD}; "
        f"prune-tui {version('prune-tui')}"
    )


def comment(text: str) -> str:
    """The text on one line: nothing in it ends a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
