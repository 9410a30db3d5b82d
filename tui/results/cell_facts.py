"""What stands beside the matrix: the facts of the cell under the cursor, one to a line."""

from __future__ import annotations

from rich.text import Text

from tui.format import change, value
from tui.results.matrix import UNPRUNED, Benchmark, Row, Width


def cell_facts(benchmark: Benchmark, width: Width, row: Row | None, quiet: str) -> Text:
    """What a reader asks of a figure: of what, how large, from where. `quiet` is the colour of the labels."""
    facts: list[tuple[str, str]] = [
        ("model", width.model),
        ("width", UNPRUNED if width.unpruned else f"{width.pruning_pct:g}% of the neurons removed"),
    ]
    if width.intermediate_size is not None:
        ratio = "" if width.expansion_ratio is None else f", {width.expansion_ratio:.2f}× the hidden size"
        facts.append(("neurons", f"{width.intermediate_size} a layer{ratio}"))
    if width.parameters is not None:
        facts.append(("parameters", f"{width.parameters:,}"))
    facts.append(
        ("task", benchmark.task + ("" if benchmark.num_fewshot is None else f", {benchmark.num_fewshot}-shot"))
    )
    if row is not None:
        facts += _statistics(row)
        if row["n"] is not None:
            facts.append(("documents", f"{row['n']:,}"))
        facts.append(("conditions", width.conditions or "not known"))
        facts.append(("run", row["run_id"]))
        if row["footnote"]:
            facts.append(("note", row["footnote"]))
    size = max(len(name) for name, _ in facts)
    text = Text(no_wrap=True, overflow="ellipsis")
    for name, told in facts:
        text.append(f"{name:<{size}}  ", quiet).append(f"{told}\n")
    text.append("enter: all metrics and samples", quiet)
    return text


def _statistics(row: Row) -> list[tuple[str, str]]:
    """How the change was tested."""
    facts: list[tuple[str, str]] = []
    if row["ci_low_pct"] is not None and row["ci_high_pct"] is not None:
        facts.append(("95 % interval", f"{change(row['ci_low_pct'])} to {change(row['ci_high_pct'])}"))
    if row["p_kind"] is not None:
        kind = "" if row["stderr_kind"] in row["p_kind"] else f", {row['stderr_kind']} error"
        facts.append(("test", f"{row['p_kind']}{kind}"))
    if row["agreement"] is not None:
        facts.append(("answered alike", f"{100 * row['agreement']:.1f}%"))
    if row["chance"] is not None:
        facts.append(("chance", value(row["chance"])))
    return facts
