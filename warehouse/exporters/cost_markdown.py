"""What does 40 % buy on this card: every level's score, time, memory and energy, beside those of the unpruned model."""

from __future__ import annotations

from collections.abc import Callable

from warehouse.numbers import decimal_bytes
from warehouse.read.choose import Candidate, Choice
from warehouse.records.names import pruned_with

_HEAD = ("level", "method", "keeps", "ms a token", "to the first token", "memory", "J a token", "verdict")


def label(one: Candidate) -> str:
    """The level in words: 40 %, MAW."""
    if not one.pruning_pct:
        return "unpruned"
    return f"{one.pruning_pct:.4g} %, {pruned_with(one.method, one.repair).upper()}"


def cost_cells(one: Candidate) -> tuple[str, ...]:
    """Level, method, what is kept, milliseconds a token, memory and joules a token, for a list."""
    cost = one.cost
    noise = "" if cost.ms_noise is None else f" ±{cost.ms_noise:.2g}"
    memory = "" if cost.memory is None else decimal_bytes(cost.memory) + ("" if cost.memory_is == "peak" else " w")
    return (
        f"{one.pruning_pct:.4g}%",
        pruned_with(one.method, one.repair).upper() if one.pruning_pct else "",
        "" if one.score is None else f"{one.score:.1f} {one.unit}",
        "" if cost.ms is None else f"{cost.ms:.3g}{noise}",
        memory,
        "" if cost.joules is None else f"{cost.joules:.3g}",
    )


def cost_table(found: Choice) -> str:
    """One Markdown table of all candidates by level, with the change against the unpruned model."""
    rows = sorted((*found.fitting, *found.others), key=lambda one: (one.pruning_pct, one.method, one.repair))
    base = next((one for one in rows if not one.pruning_pct), None)
    where = found.device or "a machine that was not profiled"
    lines = [
        f"{rows[0].model} on {where}, {found.batch} at a time; scores by the rule {found.rule}.",
        "",
        "| " + " | ".join(_HEAD) + " |",
        "|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    for one in rows:
        cost, full = one.cost, base.cost if base is not None else None
        verdict = "chosen" if one is found.best else "; ".join((*one.out, *one.unknown)) or "within the budget"
        cells = (
            label(one).partition(",")[0],
            pruned_with(one.method, one.repair).upper() if one.pruning_pct else "",
            "" if one.score is None else f"{one.score:.1f} {one.unit}",
            _against(cost.ms, full.ms if full else None, "{:.3g} ms".format),
            _against(cost.first_ms, full.first_ms if full else None, "{:.3g} ms".format),
            _against(cost.memory, full.memory if full else None, decimal_bytes),
            _against(cost.joules, full.joules if full else None, "{:.3g} J".format),
            verdict.replace("|", "\\|"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    ways = sorted({one.cost.way for one in rows if one.cost.way})
    notes = [f"Answered by {'; '.join(ways)}." if ways else "", *_memory_note(rows)]
    return "\n".join([*lines, "", *filter(None, notes)])


def _memory_note(rows: list[Candidate]) -> list[str]:
    if any(one.cost.memory is not None and one.cost.memory_is == "weights" for one in rows):
        return ["Memory is that of the weights alone: no peak was measured."]
    return []


def _against(value: float | None, full: float | None, written: Callable[[float], str]) -> str:
    if value is None:
        return ""
    change = "" if not full or value == full else f" ({100 * (value / full - 1):+.0f} %)"
    return written(value) + change
