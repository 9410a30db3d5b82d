"""Importing what stays to the end, while the GPU's driver gets ready."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

_DRIVER = "libcuda.so.1"
_ASSIGNMENT = "scipy.optimize"


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


def imported(module: str, *, first: Callable[[], object] = lambda: None) -> Any:
    """A module: a fifth of the time would go into looking for garbage among what it imports, and all of it stays.

    `first` imports some of that in a way of its own.
    """
    collects = gc.isenabled()  # this may be somebody else's process
    gc.disable()
    try:
        first()
        found = import_module(module)
    finally:
        if collects:
            gc.enable()
    gc.freeze()
    return found


def import_transformers() -> None:
    """Import transformers' models, without what takes a seventh of a worker's imports and serves it nothing: its
    folder of models is read once, and scipy's optimisers come when a detector's loss asks for them.
    """
    import_module("transformers")
    if "transformers.modeling_utils" not in sys.modules:
        with _models_read_once(), _assignment_later():
            import_module("transformers.modeling_utils")


@contextmanager
def _models_read_once() -> Iterator[None]:
    """transformers reads the text of all its models to learn what they hold: for itself, and again for the package of
    its models, which is in the first answer.
    """
    tools: Any = import_module("transformers.utils.import_utils")
    read = tools.define_import_structure
    package = Path(tools.__file__).parents[1] / "models" / "__init__.py"

    def known(path: str | Path, prefix: str | None = None) -> dict[frozenset[str], dict[str, set[str]]]:
        return structure_of_models(package.parent, read) if path == str(package) and not prefix else read(path, prefix)

    tools.define_import_structure = known
    try:
        yield
    finally:
        tools.define_import_structure = read


def structure_of_models(folder: Path, read: Any) -> dict[frozenset[str], dict[str, set[str]]]:
    """What `read(folder)` gives, from what transformers keeps of its own call, where all names have a prefix."""
    name = folder.name
    whole: dict[frozenset[str], dict[str, set[str]]] = read(folder, prefix=name)
    return {
        needed: {
            module.removeprefix(f"{name}."): names for module, names in of.items() if module.startswith(f"{name}.")
        }
        for needed, of in whole.items()
    }


@contextmanager
def _assignment_later() -> Iterator[None]:
    """Inside the block `from scipy.optimize import linear_sum_assignment` gives a function that imports it when it is
    called.
    """
    if _ASSIGNMENT in sys.modules:
        yield
        return

    def linear_sum_assignment(*arguments: Any, **more: Any) -> Any:
        return import_module(_ASSIGNMENT).linear_sum_assignment(*arguments, **more)

    def others(name: str) -> Any:
        if name.startswith("__"):  # whoever goes through all modules asks for their files
            raise AttributeError(name)
        sys.modules.pop(_ASSIGNMENT, None)
        return getattr(import_module(_ASSIGNMENT), name)

    later: Any = ModuleType(_ASSIGNMENT)
    later.linear_sum_assignment, later.__getattr__ = linear_sum_assignment, others
    sys.modules[_ASSIGNMENT] = later
    try:
        yield
    finally:
        if sys.modules.get(_ASSIGNMENT) is later:
            del sys.modules[_ASSIGNMENT]
