"""The dashboard's screens come from their entries."""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module

from textual.screen import ModalScreen, Screen

import tui
from tui.app import Dashboard
from tui.screens import SCREENS, keys


def test_each_screen_has_a_key_and_a_name_of_its_own():
    assert [(entry.key, entry.mode) for entry in SCREENS] == [
        ("1", "runs"), ("2", "results"), ("3", "compare"), ("4", "query"), ("5", "claims"),
    ]  # fmt: skip
    assert {name for name, entry in Dashboard.MODES.items() if entry in SCREENS} == {entry.mode for entry in SCREENS}


def test_each_key_leads_to_its_screen():
    found = [(binding.key, binding.action, binding.description) for binding in keys()]
    assert found[1] == ("2", "switch_mode('results')", "Results")
    assert set(keys()) <= set(Dashboard.BINDINGS)


def test_each_screen_is_where_its_entry_says():
    assert all(issubclass(getattr(import_module(entry.module), entry.screen), Screen) for entry in SCREENS)


def test_each_screen_has_the_header():
    """Which database, machine and devices, and what goes on; a dialog stands over a screen that has it."""
    without = []
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.ispkg or module.name.startswith(("tui.cli", "tui.serve")):
            continue
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, Screen) and kind.__module__ == module.name:
                own = "compose" in vars(kind) and not issubclass(kind, ModalScreen)
                if own and not re.search(r"TopLine\(\)|super\(\).compose\(\)", inspect.getsource(kind.compose)):
                    without.append(kind.__name__)
    assert without == []
