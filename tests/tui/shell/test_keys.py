"""One grammar of keys: what a key means on one screen it means on all of them."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from tui.app import Dashboard
from tui.claims.screen import ClaimsScreen
from tui.new_run.screen import NewRunScreen
from tui.shell.confirm import ConfirmScreen
from tui.shell.help_screen import HelpScreen
from tui.shell.keys import DIGITS, IN_A_QUESTION, KEYS


def bound() -> Iterator[tuple[type[DOMNode], str, str]]:
    """Every class of ours with the keys that it binds itself, and the name of each one's action."""
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name.startswith(("tui.cli", "tui.serve")) or module.ispkg:
            continue
        for kind in vars(import_module(module.name)).values():
            if not isinstance(kind, type) or not issubclass(kind, DOMNode) or kind.__module__ != module.name:
                continue
            for binding in vars(kind).get("BINDINGS", ()):
                assert isinstance(binding, Binding)
                for key in binding.key.split(","):
                    yield kind, key, binding.action.partition("(")[0].rpartition(".")[2]


BOUND = list(bound())


def in_the_table(key: str) -> bool:
    return len(key) == 1 or key in KEYS


def test_every_screens_keys_mean_what_the_table_says():
    other = [
        f"{kind.__name__}: {key} is {action}"
        for kind, key, action in BOUND
        if in_the_table(key) and key not in DIGITS
        for table in [IN_A_QUESTION if kind is ConfirmScreen and key in IN_A_QUESTION else KEYS]
        if key not in table or action not in table[key].actions
    ]
    assert other == []


def test_the_table_has_nothing_that_no_screen_has():
    there = {(key, action) for _, key, action in BOUND}
    assert [(key, one) for key, meaning in KEYS.items() for one in meaning.actions if (key, one) not in there] == []


def test_digits_lead_to_screens_and_to_nothing_else():
    assert {action for _, key, action in BOUND if key in DIGITS} == {"switch_mode"}


def test_no_key_is_handled_beside_the_bindings():
    """A method `key_x` would be a key that no footer, no help and no table knows of."""
    kinds = {kind for kind, _, _ in BOUND}
    assert [name for kind in kinds for name in vars(kind) if name.startswith("key_")] == []


def shown(screen: HelpScreen) -> dict[str, tuple[str, bool]]:
    return {key: (words, applies) for _, keys in screen._keys for key, words, applies in keys}


@pytest.mark.slow
async def test_help_lists_keys_that_do_not_apply_now_and_says_so(tmp_path, until):
    async with Dashboard(tmp_path / "results.duckdb").run_test(size=(100, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: getattr(pilot.app.screen, "empty", False))
        await pilot.press("question_mark")
        screen = pilot.app.screen
        assert isinstance(screen, HelpScreen)
        keys = shown(screen)
    assert keys["P"] == ("Plot scores against levels or size", False)
    assert keys["I"][1] is True
    assert keys["q"][1] is True


@pytest.mark.slow
async def test_letters_in_a_form_are_no_commands_and_q_asks_before_what_was_typed_is_lost(tmp_path, until):
    async with Dashboard(tmp_path / "results.duckdb").run_test(size=(120, 40)) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and pilot.app.screen.focused)
        form = pilot.app.screen
        form.set_focus(None)
        await pilot.press("1", "s", "n", "p", "y")
        assert pilot.app.screen is form
        assert not pilot.app._notifications
        form.query_one("#model").focus()
        await pilot.press("x", "q")
        assert pilot.app.screen is form
        form.set_focus(None)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        assert pilot.app.screen is form
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not form)


def test_what_claims_says_without_a_database_names_the_key_of_the_table():
    assert {key for kind, key, action in BOUND if kind is ClaimsScreen and action == "import_study"} == {"I"}
