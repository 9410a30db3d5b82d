"""How sure a change is, in words: its interval, its tests, the documents that flipped, and what chance would score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tui.format import change, value
from tui.results.matrix import Benchmark, Row, Width, beyond_noise, signed

_DUE = "not compared yet"  # delta_statistics' word for what a later merge compares
_VERDICTS = {
    "gain": "a gain, beyond noise",
    "loss": "a loss, beyond noise",
    "noise": "within noise",
}


def sentence(benchmark: Benchmark, width: Width, row: Row | None) -> str:
    """A cell in a sentence, with its interval and its verdict."""
    told = scores(benchmark, width, row)
    if row is None or width.unpruned or row["delta"] is None or math.isnan(row["delta"]):
        return told
    if row["ci_low"] is not None and row["ci_high"] is not None:
        told += f", 95 % (unadjusted) {signed(row['ci_low'])} to {signed(row['ci_high'])}"
    word = "no change" if row["delta"] == 0 else "better" if row["improved"] else "worse"
    sure = beyond_noise(row)
    if sure is None and row["unpaired_because"] == _DUE:
        return f"{told}, {word}; {_DUE}"
    if sure is None:
        return f"{told}, {word}; not tested, its standard error is not known"
    p = f"p {_p(row['p_value'])}" if row["p_holm"] is None else f"p {_p(row['p_holm'])} after Holm"
    return f"{told}, {word} beyond noise ({p})" if sure else f"{told}, within noise ({p})"


def scores(benchmark: Benchmark, width: Width, row: Row | None) -> str:
    """A cell's score and the one it is compared with."""
    if row is None:
        return "not measured"
    score = value(row["value"]) + (f" ± {value(row['stderr'])}" if row["stderr"] is not None else "")
    if width.unpruned:
        return f"{benchmark.metric_name} {score}"
    if row["delta"] is None:
        return f"{benchmark.metric_name} {score}; the unpruned model was not measured under these conditions"
    against = f"{benchmark.metric_name} {score} against {value(row['baseline'])}"
    if math.isnan(row["delta"]):
        return f"{against}: no change can be told"
    return f"{against}: {signed(row['delta'])} ({change(row['delta_pct'])})"


def certainty(row: Mapping[str, Any]) -> str:
    """The statistics of a change in up to three lines; empty where nothing is known."""
    return "\n".join(line for line in (_test(row), _documents(row), _chance(row)) if line)


def _test(row: Mapping[str, Any]) -> str:
    parts: list[str] = []
    if row["ci_low"] is not None and row["ci_high"] is not None:
        told = f"95 % interval {signed(row['ci_low'])} to {signed(row['ci_high'])}"
        if row["ci_low_pct"] is not None and row["ci_high_pct"] is not None:
            told += f" ({change(row['ci_low_pct'])} to {change(row['ci_high_pct'])})"
        if row.get("factor_low") is not None:
            told = (
                f"×{factor(row['factor'])}, 95 % interval ×{factor(row['factor_low'])} to ×{factor(row['factor_high'])}"
            )
        parts.append(f"{told}, unadjusted")
    if row["stderr_kind"] is not None:
        because = f", {row['unpaired_because']}" if row["unpaired_because"] else ""
        parts.append(f"{row['stderr_kind']} error{because}")
    elif row["unpaired_because"] == _DUE:
        parts.append(f"its documents are {_DUE}: a merge does it")
    if row["p_value"] is not None:
        told = f"{row['p_kind']}: p {_p(row['p_value'])}"
        if row["p_holm"] is not None:
            told += f", p {_p(row['p_holm'])} over all benchmarks of this width (Holm)"
        parts.append(told)
    if row["verdict"] is not None:
        parts.append(_VERDICTS[row["verdict"]])
    return " · ".join(parts)


def _documents(row: Mapping[str, Any]) -> str:
    if row["pairs"] is None:
        return ""
    parts = [f"{row['pairs']:,} documents compared"]
    if row["lost"] is not None and row["gained"] is not None:
        parts.append(f"{row['lost']:,} lost, {row['gained']:,} gained")
    if row["agreement"] is not None:
        parts.append(f"{100 * row['agreement']:.1f}% answered alike")
    return " · ".join(parts)


def _chance(row: Mapping[str, Any]) -> str:
    if row["chance"] is None:
        return ""
    told = f"chance scores {value(row['chance'])}"
    if row.get("unpruned"):
        return told
    if row["retained_pct"] is None:
        return f"{told}; the unpruned model is not clear of it"
    return f"{told}; {row['retained_pct']:.1f}% of the unpruned model's lead over it is left"


def factor(number: float) -> str:
    """How many times as large: `1.35`, `3.6e+21`."""
    return f"{number:.2f}" if 0.1 <= number < 1000 else f"{number:.1e}"


def _p(p: float) -> str:
    return "n/a" if math.isnan(p) else "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
