"""A dialog is as wide as it asks to be, and never wider than the screen."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from textual.screen import ModalScreen, Screen

import tui
from tui.new_run.task_picker import TaskPickerScreen
from tui.query.dialogs import NameIt, WholeValue
from tui.results.why_screen import WhyScreen, wanted
from tui.shell.choose import ChooseOne, ChooseSeveral
from tui.shell.confirm import ConfirmScreen
from tui.shell.export_screen import ExportScreen
from tui.shell.help_screen import HelpScreen
from tui.shell.safe_app import SafeApp

ANYTHING = [("a", "one thing"), ("b", "another")]


def dialogs(below: Screen[Any]) -> list[tuple[ModalScreen[Any], int]]:
    """Each with the columns that it asks for; 64 is what it gets that asks for nothing."""
    return [
        (HelpScreen(below), 76),
        (TaskPickerScreen([], []), 72),
        (WhyScreen(wanted({"model": "Llama-3.2-1B", "pruning_pct": 40, "task": "piqa"})), 110),
        (WholeValue("column", "value"), 90),
        (NameIt(), 64),
        (ChooseOne("Which?", ANYTHING), 96),
        (ChooseSeveral("Which?", ANYTHING, []), 96),
        (ConfirmScreen("Kill it?", "What it recorded is kept.", "Kill"), 64),
        (ExportScreen(None, "<svg/>", "picture", Path("results.duckdb")), 64),
    ]


class Bare(SafeApp):
    """Has what all screens share, and no screens."""

    database = Path("results.duckdb")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_a_dialog_has_the_width_that_it_asks_for(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(WhyScreen, "run_worker", lambda *_, **__: None)  # it reads the database
    app = Bare()
    async with app.run_test(size=size):
        for dialog, columns in dialogs(app.screen):
            await app.push_screen(dialog)
            part = dialog.query_one(".dialog")
            assert part.outer_size.width == min(columns, size[0] * 95 // 100), type(dialog)
            assert part.outer_size.height <= size[1], type(dialog)
            await dialog.dismiss(None)


def test_screens_ask_by_css_for_defaults_give_way_to_what_all_screens_share():
    """Textual lets any rule of the program win over a `DEFAULT_CSS`, however general the one and exact the other."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(tui.__path__, "tui.")]
    screens = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    ours = {one for one in screens if issubclass(one, Screen) and one.__module__.startswith("tui.")}
    assert {HelpScreen, WhyScreen} < ours
    assert {one.__name__ for one in ours if "DEFAULT_CSS" in vars(one)} == set()
