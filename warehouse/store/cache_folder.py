"""Folders for what can be made anew, in the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder(name: str) -> Path | None:
    """One for things of a kind; None where it cannot be made, or others could write to it."""
    folder = user_cache_path("prune-tui", appauthor=False) / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    except OSError:
        return None
    return folder if about.st_uid == os.geteuid() and not about.st_mode & 0o022 else None
