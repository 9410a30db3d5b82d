"""Files that a command is given to read."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError


def text_of(path: Path) -> str:
    """What a text file says.

    Raises:
        UserError: it is not text.
        OSError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file in UTF-8: name another one.") from error
