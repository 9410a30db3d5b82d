"""The form for several models, methods and repairs: chosen, saved as a sweep file, opened again, started."""

from __future__ import annotations

import pytest
from settling import settle
from textual.widgets import Input, Select

from engine import gpu
from engine.errors import UserError
from engine.planning import preview, task_index
from engine.planning.sweep_file import read_sweep_file
from engine.planning.task_index import TaskEntry
from engine.planning.where import Where
from engine.sweeps.starting import Started
from tui.new_run.file_dialog import SweepFileScreen
from tui.new_run.screen import NewRunScreen
from tui.shell.choose import ChooseSeveral
from tui.shell.confirm import ConfirmScreen

FILE = """
name = "both"
levels = [0, 40]
tasks = ["piqa"]
method = ["maw", "l2"]
apply-chat-template = true
on = "ray"
alone = "stop"
models = ["org/a", { model = "org/b", revision = "v2" }]
"""


@pytest.fixture
def form(monkeypatch, tmp_path, dashboard):
    """In a folder of its own, without the processes that look at models and tasks."""
    monkeypatch.setattr(task_index, "load", lambda folders=(): (TaskEntry("piqa", "task"), TaskEntry("boolq", "task")))
    monkeypatch.setattr(preview, "inspect", lambda model: None)
    monkeypatch.setattr(gpu, "machine", list)
    monkeypatch.chdir(tmp_path)
    return dashboard


async def opened(pilot, driver, **fields: str):
    await driver.loaded(pilot)
    await pilot.press("n")
    await driver.until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and pilot.app.screen.lookups.index)
    for name, value in fields.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await settle(pilot)


async def answer(pilot, driver, key: str, path: str):
    await pilot.press(key)
    await driver.until(pilot, lambda: isinstance(pilot.app.screen, SweepFileScreen))
    pilot.app.screen.query_one(Input).value = path
    await pilot.press("enter")
    await driver.settle(pilot)


async def test_several_methods_and_models_are_a_sweep_that_can_be_saved(form, driver, tmp_path):
    async with form.run_test(size=(120, 40)) as pilot:
        await opened(pilot, driver, model="org/a, org/b", tasks="piqa", name="both")
        form.screen.query_one("#method", Select).value = "…"
        await driver.until(pilot, lambda: isinstance(form.screen, ChooseSeveral))
        await pilot.press("down", "space", "enter")
        await driver.settle(pilot)
        second = form.screen.draft().method.partition(",")[2]
        assert second
        said = driver.text(form, "#forecast")
        assert said.startswith("4 runs, 26 evaluations: one for each model, method and repair")  # level 0 once a model
        assert f"run org/a org/b --levels 0,10,20,30,40,50,60 --tasks piqa --method maw,{second} --name both" in (
            driver.text(form, "#command").replace("\n", " ")
        )
        await answer(pilot, driver, "f4", "mine")
    file = read_sweep_file(tmp_path / "mine.toml", {})
    assert [(plan.model, plan.method) for plan in file.plans()] == [
        ("org/a", "maw"), ("org/a", second), ("org/b", "maw"), ("org/b", second),
    ]  # fmt: skip


@pytest.mark.slow
async def test_a_file_fills_the_form_and_keeps_what_has_no_field(form, driver, tmp_path):
    (tmp_path / "both.toml").write_text(FILE)
    async with form.run_test(size=(80, 24)) as pilot:
        await opened(pilot, driver)
        await answer(pilot, driver, "f3", "nowhere.toml")
        assert "There is no file nowhere.toml." in driver.said(form)
        await pilot.press("escape")
        await answer(pilot, driver, "f3", "both.toml")
        await driver.until(pilot, lambda: form.screen.draft().model == "org/a, org/b")
        draft = form.screen.draft()
        assert (draft.method, draft.levels, draft.name) == ("maw,l2", "0,40", "both")
        assert driver.text(form, "#apart") == "apply-chat-template; b: revision v2"
        assert form.screen.unsaved() == ""
        assert "f4 saves one" in driver.text(form, "#command")
        form.screen.query_one("#limit", Input).value = "5"
        await answer(pilot, driver, "f4", "both.toml")
        await driver.until(pilot, lambda: isinstance(form.screen, ConfirmScreen))
        await pilot.press("y")
        await driver.settle(pilot)
    file = read_sweep_file(tmp_path / "both.toml", {})
    assert file.where == Where(on="ray", alone="stop")
    asked = file.asked
    assert [(one.model, one.limit, one.revision, one.apply_chat_template) for one in asked] == [
        ("org/a", 5, None, True), ("org/b", 5, "v2", True),
    ]  # fmt: skip


@pytest.mark.slow
async def test_a_file_that_is_wrong_says_so_and_leaves_the_form(form, driver, tmp_path):
    (tmp_path / "wrong.toml").write_text(FILE.replace("levels", "level"))
    async with form.run_test(size=(80, 24)) as pilot:
        await opened(pilot, driver)
        await answer(pilot, driver, "f3", "wrong.toml")
        await driver.until(pilot, lambda: any("did you mean levels?" in said for said in driver.said(form)))
        assert form.screen.draft().model == ""


@pytest.mark.slow
async def test_a_sweep_is_started_on_the_cards_that_are_named_or_says_why_not(form, driver, monkeypatch):
    begun = []

    def start(plans, where, database):
        if where.gpus == "7":
            raise UserError("--gpus: there is no GPU '7'.")
        form.call_from_thread(form.screen.action_start)  # somebody presses once more while it is looked at
        begun.append(([(plan.model, plan.method) for plan in plans], where))
        return Started(sweep=plans[0].sweep, not_again=3)

    monkeypatch.setattr("tui.new_run.screen.start_sweep", start)
    async with form.run_test(size=(120, 40)) as pilot:
        await opened(pilot, driver, model="org/a, org/b", tasks="piqa", gpus="7")
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: "--gpus: there is no GPU '7'." in driver.said(form))
        form.screen.query_one("#gpus", Input).value = "0,1"
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: type(form.screen).__name__ == "SweepScreen")
        assert begun == [([("org/a", "maw"), ("org/b", "maw")], Where(gpus="0,1"))]
        assert "It is being started: a moment." in driver.said(form)
        assert "3 evaluations were done before, and are not done again." in driver.said(form)
