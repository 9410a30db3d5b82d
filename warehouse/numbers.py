"""How numbers are written, in tables and in JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_bytes(count: float) -> str:
    """Bytes: `1536` is "1.5 KiB"."""
    unit = 0
    while abs(count) >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.1f} {_UNITS[unit]}"


def decimal_bytes(count: float) -> str:
    """As budgets are written: 1.60 GB, and 5.6 MB of what is small."""
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def format_value(value: float, kind: str) -> str:
    """Four decimals for scores, two for perplexities, as the study prints them."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.2f}" if kind == "perplexity" else f"{value:.4f}"


def format_change(delta_pct: float | None) -> str:
    """`-19.3%`; a change that has no percentage (of zero, or to no number) is `n/a`."""
    return "n/a" if delta_pct is None or math.isnan(delta_pct) else f"{delta_pct:+.1f}%"


def json_number(value: float) -> float | str:
    """The number, or the name of one that JSON cannot write."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def json_rows(rows: Iterable[dict[str, Any]]) -> str:
    """A JSON list of objects, one a line."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return "[\n" + ",\n".join(lines) + "\n]\n"
