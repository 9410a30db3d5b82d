"""The focus decides what is typed: letters on their way to an editor arrive there, and a half-filled form is kept."""

from __future__ import annotations

import pytest
from textual.events import Key
from textual.widgets import Input

from tui.app import Dashboard
from tui.new_run.screen import NewRunScreen
from tui.query.screen import QueryScreen
from tui.query.sql_editor import SqlEditor
from tui.shell.confirm import ConfirmScreen
from tui.shell.jump import JumpScreen, name_of

pytestmark = pytest.mark.slow


@pytest.fixture
def dashboard(tmp_path) -> Dashboard:
    return Dashboard(tmp_path / "results.duckdb")


def type_at_once(app: Dashboard, text: str) -> None:
    """As a terminal hands over what was typed while the program was busy."""
    for letter in text:
        app.post_message(Key("space" if letter == " " else letter, letter))


async def form_is_open(pilot, until) -> NewRunScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and pilot.app.screen.focused)
    return pilot.app.screen


async def test_letters_typed_before_the_editor_is_there_are_its_text_and_no_commands(dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        type_at_once(dashboard, "4select new")
        await until(pilot, lambda: isinstance(dashboard.screen, QueryScreen) and dashboard.screen.query(SqlEditor))
        editor = dashboard.screen.query_one(SqlEditor)
        await until(pilot, lambda: len(editor.text) == 10)
        assert editor.text == "select new"
        assert isinstance(dashboard.screen, QueryScreen)
        assert not dashboard._notifications


async def test_out_of_the_editor_letters_are_commands_again(dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(dashboard.screen, QueryScreen) and dashboard.screen.focused)
        await pilot.press("escape", "n")
        await form_is_open(pilot, until)


async def test_letters_typed_before_the_form_is_there_are_its_models_name(dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        type_at_once(dashboard, "ndemo")
        form = await form_is_open(pilot, until)
        await until(pilot, lambda: form.query_one("#model", Input).value == "demo")


async def test_a_form_left_half_filled_comes_back_as_it_was_and_q_tells_of_it(dashboard, until):
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await pilot.press("n")
        form = await form_is_open(pilot, until)
        form.query_one("#limit", Input).value = "7"
        await pilot.press("escape")
        await until(pilot, lambda: dashboard.screen is not form)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(dashboard.screen, ConfirmScreen))
        await pilot.press("n")
        await pilot.press("n")
        await until(pilot, lambda: dashboard.screen is form)
        assert form.query_one("#limit", Input).value == "7"
        await pilot.press("ctrl+n")
        await until(pilot, lambda: dashboard.screen is not form)
        new = await form_is_open(pilot, until)
        assert new.query_one("#limit", Input).value == ""
        await pilot.press("escape")
        await until(pilot, lambda: dashboard.screen is not new)
        await pilot.press("n")
        assert await form_is_open(pilot, until) is not new  # nothing was typed into it


async def test_jump_mode_goes_to_any_field_of_a_form_also_to_those_out_of_sight(dashboard, until):
    async with dashboard.run_test(size=(120, 12)) as pilot:
        await pilot.press("n")
        form = await form_is_open(pilot, until)
        for name in ("limit", "code"):
            await pilot.press("ctrl+g")
            await until(pilot, lambda: isinstance(dashboard.screen, JumpScreen) and dashboard.screen.is_mounted)
            jump = dashboard.screen
            assert isinstance(jump, JumpScreen)
            letter = next(one for one, widget in jump._targets.items() if name_of(widget) == name)
            assert (jump._places[letter] is None) == (name == "code")
            await pilot.press(letter)
            await until(pilot, lambda: dashboard.screen is form)
            assert form.focused is not None
            assert name_of(form.focused) == name
        assert form.query_one("#model", Input).value == ""


async def test_jump_mode_goes_between_panes_and_escape_stays(dashboard, until):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(dashboard.screen, QueryScreen) and dashboard.screen.focused)
        editor = dashboard.screen.focused
        await pilot.press("ctrl+g", "escape")
        assert dashboard.screen.focused is editor
        await pilot.press("ctrl+g", "a")
        assert dashboard.screen.focused.id == "query-tables"


async def test_whoever_goes_from_the_editor_before_a_key_was_typed_is_heard_all_the_same(dashboard, until):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(dashboard.screen, QueryScreen) and dashboard.screen.focused)
        dashboard.screen.query_one("#query-tables").focus()  # as a click does
        await pilot.pause()
        await pilot.press("n")
        await form_is_open(pilot, until)
