"""How numbers, times, levels and changes are written on the screens."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from warehouse.records.level import Level, level_label
from warehouse.records.reading import Reading
from warehouse.text import counted

if TYPE_CHECKING:
    from engine.planning.task_index import TaskEntry

_LIMIT = re.compile(r"\Alimit (\d+)(?=,|\Z)")  # what conditions begin with: further on it may be a prompt's words


def duration(seconds: float) -> str:
    """`75` is "1m15s"."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours < 48 else f"{hours // 24}d{hours % 24:02d}h"


def seconds(number: float) -> str:
    """A short time with a decimal, a long one as `duration` has it."""
    return f"{number:.1f}s" if number < 10 else duration(number)


def joules(number: float) -> str:
    """`1.2 MJ`, with watt-hours from a kilojoule on."""
    for unit, size in (("MJ", 1e6), ("kJ", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit} ({number / 3600:.3g} Wh)"
    return f"{number:.3g} J"


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in one unit: "now", "12m ago", "3d ago", else the day, or after ten months the month."""
    passed = (now - then).total_seconds()
    if passed < 60:
        return "now" if passed < 10 else f"{passed:.0f}s ago"
    for limit, size, unit in ((3600, 60, "m"), (86400, 3600, "h"), (14 * 86400, 86400, "d")):
        if passed < limit:
            return f"{passed // size:.0f}{unit} ago"
    day = then.astimezone()
    return f"{day.day} {day:%b}" if passed < 300 * 86400 else f"{day:%b %Y}"


def utc(moment: datetime) -> datetime:
    """A moment with its time zone; the warehouse's timestamps come without one and are UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def count(number: float) -> str:
    """A large number in short, as models' sizes are told: `1235814400` is "1.24B"."""
    for limit, size, unit in ((0.9995e9, 1e9, "B"), (0.9995e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(number) >= limit:  # what would be rounded to a thousand has the next unit
            return f"{number / size:.3g}{unit}"
    return f"{number:,.0f}"


def progress(done: int, total: int | None) -> str:
    """`14/56 evaluations`; `14/? evaluations` where nobody knows of how many."""
    return f"{done:,}/? evaluations" if total is None else f"{done:,}/{counted(total, 'evaluation')}"


def done_of(done: int, total: int | None, what: str = "evaluation") -> str:
    """`14 of 56 evaluations are done`; `14 evaluations are done` where nobody knows of how many."""
    among = done if total is None else total
    told = counted(among, what) if total is None else f"{done:,} of {counted(total, what)}"
    return f"{told} {'is' if among == 1 else 'are'} done"


def devices(readings: Sequence[Reading]) -> str:
    """The GPUs of a machine by their names, "2 × H200"; without one, the CPU."""
    gpus = Counter(reading.name or reading.device for reading in readings if reading.device != "cpu")
    names = [(" ".join(word for word in name.split() if word != "NVIDIA"), times) for name, times in gpus.items()]
    return ", ".join(f"{times} × {name}" if times > 1 else name for name, times in names) or "CPU"


def conditions_text(conditions: str | None) -> str:
    """Under which conditions a score was measured, in words: "limit 100" is the first 100 documents of each task."""
    if not conditions:
        return "conditions not known"
    return _LIMIT.sub(r"first \1 documents of each task", conditions)


def answers_of(task: TaskEntry) -> str:
    """How a task is answered; a group's tasks say that themselves."""
    return "" if task.kind != "task" else "writes a text" if task.generates else "chooses, or is scored"


def rate(number: float) -> str:
    """A rate with as many digits as tell it apart: 0.42, 7.3, 1,240."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.2f}"


def value(number: float, *, width: int = 7) -> str:
    """A score with four decimals; a large one (a perplexity) with as many digits as mean something in `width`."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    if abs(number) < 10:
        return f"{number:.4f}"
    if width < 8 and 1e5 <= abs(number) < 1e12:
        return count(number)
    text = f"{number:.2f}" if abs(number) < 1000 else f"{number:.0f}"
    return text if len(text) <= width else f"{number:.1e}"


def glyph(improved: bool | None, delta: float | None) -> str:
    """▲ a gain, ▼ a loss, ≈ no change; empty where there is nothing to compare.

    The arrow says better or worse; the sign of the number beside it says up or down.
    """
    if delta is None or math.isnan(delta):
        return ""
    if delta == 0 or improved is None:
        return "≈"
    return "▲" if improved else "▼"


def change(delta_pct: float | None) -> str:
    """`-19.3%`, at most six characters: `+1.2k%` for what no longer fits."""
    if delta_pct is None or math.isnan(delta_pct):
        return "n/a"
    if math.isinf(delta_pct):
        return "+∞%" if delta_pct > 0 else "-∞%"
    if abs(delta_pct) < 99.95:
        return f"{delta_pct:+.1f}%"
    if abs(delta_pct) < 9999.5:
        return f"{delta_pct:+.0f}%"
    for limit, unit in ((1e6, "k"), (1e9, "M"), (1e12, "G")):
        if abs(delta_pct) < limit:
            return f"{delta_pct / (limit / 1e3):+.0f}{unit}%"
    return ">+T%" if delta_pct > 0 else "<-T%"


def interval(low_pct: float | None, high_pct: float | None) -> str:
    """An interval of changes in percent, at most eleven characters: `-14.1…-9.1`; empty if it is not known."""
    if low_pct is None or high_pct is None or math.isnan(low_pct) or math.isnan(high_pct):
        return ""
    return f"{change(low_pct).removesuffix('%')}…{change(high_pct).removesuffix('%')}"


def p_value(p: float) -> str:
    """A probability for a table, at most five characters."""
    return "n/a" if math.isnan(p) else "<.001" if p < 0.001 else f"{p:.3f}"


def bar(share: float, width: int) -> str:
    """A thick line for what is done and a thin one for the rest: to be told apart without colour."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    return "━" * (halves // 2) + "╸" * (halves % 2) + "─" * (width - halves // 2 - halves % 2)


def levels_text(levels: tuple[str, ...]) -> str:
    """`0–60 ×7`, or the few there are."""
    if not levels:
        return ""
    if len(levels) < 3:
        return ", ".join(level_label(level) for level in levels)
    if not all(Level.parse(level).kind == "pct" for level in levels):
        return f"{levels[0]}–{levels[-1]} ×{len(levels)}"
    return f"{min(levels, key=float)}–{max(levels, key=float)} ×{len(levels)}"
