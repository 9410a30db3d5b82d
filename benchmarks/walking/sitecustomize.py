"""Which modules of ours a value passes: in every process that is started with this folder on PYTHONPATH.

A module is passed where one of its functions is called with the value, or answers it, by itself or inside lists, dicts,
texts and our own objects; with WALK_WITHIN=FILE:FUNCTION, where one of its functions runs within that one. Their paths
are lines of WALK_OUT. It says nothing of what happens on the way, and misses values in another guise.
"""

import os
import re
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT, OUT, WITHIN = (os.environ.get(f"WALK_{name}", "") for name in ("ROOT", "OUT", "WITHIN"))
NUMBERS = [float(text) for text in os.environ.get("WALK_NUMBERS", "").split()]
TEXTS = [re.compile(text) for text in os.environ.get("WALK_TEXTS", "").split()]
PACKAGES = ("prune_tui", "tui", "engine", "warehouse")
SHOWN = ("rich.text", "rich.segment", "textual.strip", "textual.content")
DEPTH, MOST, CALLS = 4, 300, 4000  # levels of a value, items of a container, calls of one function that are looked at

passed: set[str] = set()
calls: dict[CodeType, int] = {}
files: dict[str, str] = {}
depth = threading.local()


def ours(file: str) -> str:
    """The path of one of our modules in the tree, else nothing."""
    if file not in files:
        path = os.path.relpath(os.path.abspath(file), ROOT)  # noqa: PTH100
        files[file] = path if Path(path).parts[0] in PACKAGES else ""
    return files[file]


def note(module: str) -> None:
    if module not in passed:
        passed.add(module)
        with open(OUT, "a", encoding="utf-8") as out:  # noqa: PTH123
            out.write(module + "\n")


def holds(value: Any, left: int = DEPTH) -> bool:
    kind = type(value)
    if kind in (int, float):
        return value in NUMBERS
    if isinstance(value, str):
        return len(value) < 20_000 and any(text.search(value) for text in TEXTS)
    if left == 0:
        return False
    if kind in (list, tuple, set, frozenset):
        return any(holds(one, left - 1) for one in list(value)[:MOST])
    if kind is dict:
        return any(holds(one, left - 1) for pair in list(value.items())[:MOST] for one in pair)
    if kind.__module__.startswith(SHOWN):
        return holds(str(getattr(value, "plain", None) or getattr(value, "text", "")), 1)
    if kind.__module__.split(".")[0] not in PACKAGES or any(
        one.__module__.startswith("textual") for one in kind.__mro__
    ):
        return False
    return any(holds(one, left - 1) for one in parts(value))


def parts(value: Any) -> list[Any]:
    names = [name for one in type(value).__mro__ for name in getattr(one, "__slots__", ())]
    return [*getattr(value, "__dict__", {}).values(), *(getattr(value, name) for name in names if hasattr(value, name))]


def look(frame: FrameType, event: str, answer: Any) -> None:
    code = frame.f_code
    module = ours(code.co_filename) if event in ("call", "return") else ""
    if not module or code.co_name.startswith("<"):
        return
    if WITHIN:
        begun = f"{module}:{code.co_name}" == WITHIN
        depth.now = getattr(depth, "now", 0) + (begun and event == "call")
        if depth.now:
            note(module)
        depth.now -= begun and event == "return"
        return
    calls[code] = calls.get(code, 0) + 1
    if module in passed or calls[code] > CALLS:
        return
    sys.setprofile(None)
    try:
        count = code.co_argcount + code.co_kwonlyargcount
        values = [answer] if event == "return" else [frame.f_locals.get(name) for name in code.co_varnames[:count]]
        if any(map(holds, values)):
            note(module)
    finally:
        sys.setprofile(look)


if OUT:
    threading.setprofile(look)
    sys.setprofile(look)
