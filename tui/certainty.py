"""How sure a change is, in words: its interval, its tests, the documents that flipped, and what chance would score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tui.format import change, value

_VERDICTS = {
    "gain": "a gain, beyond noise",
    "loss": "a loss, beyond noise",
    "noise": "within noise",
}


def certainty(row: Mapping[str, Any]) -> str:
    """A row of `delta_statistics` in up to three lines; empty where nothing is known."""
    return "\n".join(line for line in (_interval(row), _documents(row), _chance(row)) if line)


def _interval(row: Mapping[str, Any]) -> str:
    parts: list[str] = []
    if row["ci_low"] is not None and row["ci_high"] is not None:
        told = f"95 % interval {_signed(row['ci_low'])} to {_signed(row['ci_high'])}"
        if row["ci_low_pct"] is not None and row["ci_high_pct"] is not None:
            told += f" ({change(row['ci_low_pct'])} to {change(row['ci_high_pct'])})"
        parts.append(told)
    if row["stderr_kind"] is not None:
        because = f", {row['unpaired_because']}" if row["unpaired_because"] else ""
        parts.append(f"{row['stderr_kind']} error{because}")
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
    if row["retained_pct"] is None:
        return f"{told}; the full model is not clear of it"
    return f"{told}; {row['retained_pct']:.1f}% of the full model's lead over it is left"


def _signed(number: float) -> str:
    return ("-" if number < 0 else "+") + value(abs(number), width=6)


def _p(p: float) -> str:
    return "n/a" if math.isnan(p) else "< 0.0001" if p < 0.0001 else f"= {p:.2g}"
