"""Copying: through the terminal (OSC 52) where that can work, else into a file; the user is told which."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

# Terminals drop longer sequences, most of them silently: xterm and tmux at about 75 kB of text.
MOST_BYTES = 74_000


def copy(app: App[Any], text: str, *, name: str = "copied", suffix: str = ".md") -> str:
    """Copy a text and return a sentence that says where it went.

    Raises:
        OSError: the terminal has no clipboard, and no file could be written either.
    """
    size = len(text.encode())
    if size <= MOST_BYTES and os.environ.get("TERM") not in ("linux", "dumb"):
        app.copy_to_clipboard(text)
        if os.environ.get("TMUX"):
            return "Sent to the terminal's clipboard through tmux (OSC 52), which passes it on if set-clipboard is on."
        return "Sent to the terminal's clipboard (OSC 52)."
    handle, path = tempfile.mkstemp(prefix=f"prune-tui-{name}-", suffix=suffix, text=True)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    why = "Too long for the terminal's clipboard" if size > MOST_BYTES else "This terminal has no clipboard"
    return f"{why}: saved to {Path(path)} instead."
