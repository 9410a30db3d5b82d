"""Importing what stays to the end."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any


def imported(module: str) -> Any:
    """A module: a fifth of the time would go into looking for garbage among what it imports, and all of it stays."""
    collects = gc.isenabled()  # this may be somebody else's process
    gc.disable()
    try:
        found = import_module(module)
    finally:
        if collects:
            gc.enable()
    gc.freeze()
    return found
