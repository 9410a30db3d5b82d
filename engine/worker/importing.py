"""Importing what stays to the end, while the GPU's driver gets ready."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Any

_DRIVER = "libcuda.so.1"


def begin_driver() -> Thread:
    """Have CUDA's driver find its GPUs in a thread, which needs neither torch nor Python's turn: torch, which asks for
    that after its import, finds it done. Where there is no such driver, or it fails, torch says so.
    """
    thread = Thread(target=_begin_driver, name="driver", daemon=True)
    thread.start()
    return thread


def _begin_driver() -> None:
    with suppress(OSError):  # there is none
        ctypes.CDLL(_DRIVER).cuInit(0)


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
