"""The user's cache folder, or the one that PRUNE_TUI_CACHE names.

What is kept there is made anew where it is missing or cannot be trusted.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

_SECONDS_KEPT = 90 * 24 * 3600.0


def folder(name: str) -> Path | None:
    """The one of this name; None where that cannot be made, or others could write to it."""
    root = os.environ.get("PRUNE_TUI_CACHE")
    found = (Path(root) if root else user_cache_path("prune-tui", appauthor=False)) / name
    try:
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = found.stat()
    except OSError:
        return None
    return found if about.st_uid == os.geteuid() and not about.st_mode & 0o022 else None


def clear(found: Path) -> None:
    """Take out of a folder what was put there long ago, as by other versions."""
    with suppress(OSError):
        for file in found.iterdir():
            if time.time() - file.stat().st_mtime > _SECONDS_KEPT:
                shutil.rmtree(file) if file.is_dir() else file.unlink()
