"""How sure a change is, in words: its interval, its tests, the documents that flipped, and what chance would score."""

from __future__ import annotations

import math

from tui.format import change, value
from tui.results.matrix import at_chance, beyond_noise, signed
from warehouse.read.grid import Benchmark, Cell, Width
from warehouse.text import counted

_DUE = "not compared yet"  # delta_statistics' word for what a later merge compares
_VERDICTS = {
    "gain": "a gain, beyond noise",
    "loss": "a loss, beyond noise",
    "noise": "within noise",
}


def sentence(benchmark: Benchmark, width: Width, cell: Cell | None) -> str:
    """A cell in a sentence, with its interval and its verdict; said first where the score is at chance."""
    told = scores(benchmark, width, cell)
    if cell is not None and cell.chance is not None and at_chance(cell):
        told = f"at chance ({value(cell.chance)}): {told}"
    if cell is None or width.unpruned or cell.delta is None or math.isnan(cell.delta):
        return told
    if cell.ci_low is not None and cell.ci_high is not None:
        told += f", 95 % (unadjusted) {signed(cell.ci_low)} to {signed(cell.ci_high)}"
    word = "no change" if cell.delta == 0 else "better" if cell.improved else "worse"
    sure = beyond_noise(cell)
    if sure is None and cell.unpaired_because == _DUE:
        return f"{told}, {word}; {_DUE}"
    if sure is None:
        return f"{told}, {word}; not tested, its standard error is not known"
    p = f"p {_p(cell.p_value)}" if cell.p_holm is None else f"p {_p(cell.p_holm)} after Holm"
    return f"{told}, {word} beyond noise ({p})" if sure else f"{told}, within noise ({p})"


def scores(benchmark: Benchmark, width: Width, cell: Cell | None) -> str:
    """A cell's score and the one it is compared with."""
    if cell is None or cell.value is None:
        return "not measured"
    score = value(cell.value) + (f" ± {value(cell.stderr)}" if cell.stderr is not None else "")
    if width.unpruned:
        return f"{benchmark.metric_name} {score}"
    if cell.delta is None or cell.baseline is None:
        return f"{benchmark.metric_name} {score}; the unpruned model was not measured under these conditions"
    against = f"{benchmark.metric_name} {score} against {value(cell.baseline)}"
    if math.isnan(cell.delta):
        return f"{against}: no change can be told"
    return f"{against}: {signed(cell.delta)} ({change(cell.delta_pct)})"


def certainty(cell: Cell, *, unpruned: bool = False) -> str:
    """The statistics of a change in up to three lines; empty where nothing is known."""
    return "\n".join(line for line in (_test(cell), _documents(cell), _chance(cell, unpruned=unpruned)) if line)


def _test(cell: Cell) -> str:
    parts: list[str] = []
    if cell.ci_low is not None and cell.ci_high is not None:
        told = f"95 % interval {signed(cell.ci_low)} to {signed(cell.ci_high)}"
        if cell.ci_low_pct is not None and cell.ci_high_pct is not None:
            told += f" ({change(cell.ci_low_pct)} to {change(cell.ci_high_pct)})"
        low, high = cell.factor_low, cell.factor_high
        if cell.factor is not None and low is not None and high is not None:
            told = f"×{factor(cell.factor)}, 95 % interval ×{factor(low)} to ×{factor(high)}"
        parts.append(f"{told}, unadjusted")
    if cell.stderr_kind is not None:
        because = f", {cell.unpaired_because}" if cell.unpaired_because else ""
        parts.append(f"{cell.stderr_kind} error{because}")
    elif cell.unpaired_because == _DUE:
        parts.append(f"its documents are {_DUE}: a merge does it")
    if cell.p_value is not None:
        told = f"{cell.p_kind}: p {_p(cell.p_value)}"
        if cell.p_holm is not None:
            told += f", p {_p(cell.p_holm)} over all benchmarks of this width (Holm)"
        parts.append(told)
    if cell.verdict is not None:
        parts.append(_VERDICTS[cell.verdict])
    return " · ".join(parts)


def _documents(cell: Cell) -> str:
    if cell.pairs is None:
        return ""
    parts = [f"{counted(cell.pairs, 'document')} compared"]
    if cell.lost is not None and cell.gained is not None:
        parts.append(f"{cell.lost:,} lost, {cell.gained:,} gained")
    if cell.agreement is not None:
        parts.append(f"{100 * cell.agreement:.1f}% answered alike")
    return " · ".join(parts)


def _chance(cell: Cell, *, unpruned: bool) -> str:
    if cell.chance is None:
        return ""
    told = f"chance scores {value(cell.chance)}"
    if at_chance(cell):
        told += ", and this score is at chance: guessing does as well"
    if unpruned:
        return told
    if cell.retained_pct is None:
        return f"{told}; the unpruned model is not clear of it"
    return f"{told}; {cell.retained_pct:.1f}% of the unpruned model's lead over it is left"


def factor(number: float) -> str:
    """How many times as large: `1.35`, `3.6e+21`."""
    return f"{number:.2f}" if 0.1 <= number < 1000 else f"{number:.1e}"


def _p(p: float | None) -> str:
    return "n/a" if p is None or math.isnan(p) else "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
