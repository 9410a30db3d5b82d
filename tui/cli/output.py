"""What goes to the screen. Names of models, tasks and files are other people's text: it must stay text."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tui.plain import plain

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A console that prints strings as they are: no markup, no emoji codes, no guessed highlights."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def print_json(value: Any) -> None:
    """NaN and infinities, which JSON has no numbers for, are printed as the texts NaN, Infinity and -Infinity."""
    json.dump(plain(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def duration(seconds: float) -> str:
    """`75` is "1m15s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"
