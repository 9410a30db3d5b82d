"""What stands beside the matrix: the facts of the cell under the cursor, one to a line."""

from __future__ import annotations

from rich.text import Text

from tui.format import change, conditions_text, count, value
from warehouse.read.grid import UNPRUNED, Benchmark, Cell, Width


def cell_facts(benchmark: Benchmark, width: Width, cell: Cell | None, quiet: str) -> Text:
    """What a reader asks of a figure: of what, how large, from where. `quiet` is the colour of the labels."""
    facts: list[tuple[str, str]] = [
        ("model", width.model),
        ("width", UNPRUNED if width.unpruned else f"{width.pruning_pct:g}% of the neurons removed"),
    ]
    if width.intermediate_size is not None:
        ratio = "" if width.expansion_ratio is None else f", {width.expansion_ratio:.2f}× the hidden size"
        facts.append(("neurons", f"{width.intermediate_size} a layer{ratio}"))
    if width.parameters is not None:
        facts.append(("parameters", f"{count(width.parameters)} ({width.parameters:,})"))
    facts.append(
        ("task", benchmark.task + ("" if benchmark.num_fewshot is None else f", {benchmark.num_fewshot}-shot"))
    )
    if cell is not None:
        facts += _statistics(cell)
        if cell.n is not None:
            facts.append(("documents", f"{cell.n:,}"))
        facts.append(("conditions", conditions_text(width.conditions)))
        facts.append(("run", str(cell.run_id)))
        if cell.footnote:
            facts.append(("note", cell.footnote))
    size = max(len(name) for name, _ in facts)
    text = Text(no_wrap=True, overflow="ellipsis")
    for name, told in facts:
        text.append(f"{name:<{size}}  ", quiet).append(f"{told}\n")
    text.append("enter: all metrics and samples", quiet)
    return text


def _statistics(cell: Cell) -> list[tuple[str, str]]:
    """How the change was tested."""
    facts: list[tuple[str, str]] = []
    if cell.ci_low_pct is not None and cell.ci_high_pct is not None:
        facts.append(("95 % interval", f"{change(cell.ci_low_pct)} to {change(cell.ci_high_pct)}"))
    if cell.p_kind is not None:
        kind = "" if cell.stderr_kind is not None and cell.stderr_kind in cell.p_kind else f", {cell.stderr_kind} error"
        facts.append(("test", f"{cell.p_kind}{kind}"))
    if cell.agreement is not None:
        facts.append(("answered alike", f"{100 * cell.agreement:.1f}%"))
    if cell.chance is not None:
        facts.append(("chance", value(cell.chance)))
    return facts
