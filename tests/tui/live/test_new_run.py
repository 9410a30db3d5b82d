"""The form for a new run, and one run from the form to its results."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input, Select

from engine import launch, preview, task_index
from engine.errors import UserError
from engine.preview import Shape
from engine.rundir import RunState
from engine.task_index import TaskEntry

LLAMA = Shape("llama", 2048, 8192, 16, 1_235_814_400, 98_304, "bfloat16")
INDEX = (
    TaskEntry("arc_challenge", "task"),
    TaskEntry("demo_facts", "group", ("demo_facts_animals", "demo_facts_foods", "demo_facts_towns")),
    TaskEntry("demo_facts_animals", "task"),
    TaskEntry("demo_facts_foods", "task"),
    TaskEntry("demo_facts_towns", "task"),
    TaskEntry("demo_story", "task"),
    TaskEntry("piqa", "task"),
)


@pytest.fixture
def stubbed(monkeypatch):
    """Without the processes that look at models and tasks."""
    monkeypatch.setattr(task_index, "load", lambda folders=(): INDEX)
    monkeypatch.setattr(preview, "inspect", lambda model: LLAMA)


async def open_form(pilot, driver):
    await driver.loaded(pilot)
    await pilot.press("n")
    await driver.until(pilot, lambda: getattr(pilot.app.screen, "_index", None))


async def fill(pilot, **fields: str):
    for name, value in fields.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await pilot.pause(0.1)


async def test_it_says_what_will_happen(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="meta-llama/Llama-3.2-1B", tasks="piqa, demo_facts")
        await driver.until(pilot, lambda: "weights" in driver.text(dashboard, "#forecast"))
        text = driver.text(dashboard, "#forecast")
        widths = driver.text(dashboard, "#widths")
    assert "28 cells: 7 levels × 4 tasks" in text
    assert "2.3 GiB of weights" in text
    assert "no earlier run of this model" in text
    assert "4,916" in widths  # 40 % of 8192, as OptiPFair rounds
    assert "914 M" in widths


async def test_the_command_beside_it_does_the_same(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa", shots="5", limit="20", others="2.4x")
        command = driver.text(dashboard, "#command")
    assert "prune-tui run demo --levels 0,10,20,30,40,50,60,2.4x --tasks piqa@5 --limit 20 --db" in command


@pytest.mark.parametrize(
    ("fields", "place", "sentence"),
    [
        ({"model": "/nowhere"}, "model", "There is no folder /nowhere: check the path."),
        ({"others": "4k"}, "levels", "'4k' is not a pruning level"),
        ({"others": "40"}, "levels", "Level 40 is given more than once"),
        ({"tasks": "piqua"}, "tasks", "There is no task or group 'piqua': did you mean piqa?"),
        ({"tasks": "piqa, piqa"}, "tasks", "Task piqa is given more than once"),
        ({"shots": "few"}, "shots", "'few' is no number of shots"),
        ({"limit": "-3"}, "limit", "--limit -3 is no number of documents"),
        ({"device": "tpu"}, "device", "There is no device 'tpu'"),
        ({"batch_tokens": "lots"}, "batch_tokens", "'lots' is no number of tokens"),
        ({"include_paths": "/nowhere"}, "include_paths", "--include-path /nowhere is not a folder"),
        ({"others": "4099.9x"}, "levels", "Level 4099.9x would widen the model"),
    ],
    ids=lambda value: next(iter(value.values())) if isinstance(value, dict) else None,
)
async def test_what_is_wrong_is_said_as_it_is_typed(dashboard, driver, stubbed, fields, place, sentence):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, **({"model": "demo", "tasks": "piqa"} | fields))
        await driver.until(pilot, lambda: sentence in driver.text(dashboard, f"#{place}-problem"))
        assert dashboard.screen.query_one("#start", Button).disabled


async def test_a_model_that_cannot_be_pruned_is_refused_before_it_runs(dashboard, driver, stubbed, monkeypatch):
    def refuse(model):
        raise UserError("gpt2 has no GLU MLPs, which are what prune-tui prunes.")

    monkeypatch.setattr(preview, "inspect", refuse)
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="gpt2", tasks="piqa")
        await driver.until(pilot, lambda: "no GLU MLPs" in driver.text(dashboard, "#model-problem"))


async def test_nothing_is_complained_about_before_it_is_typed(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        assert not dashboard.screen.query_one("#model-problem").display
        assert not dashboard.screen.query_one("#tasks-problem").display


async def test_a_suite_and_tasks_exclude_each_other(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo")
        dashboard.screen.query_one("#suite", Select).value = "demo"
        await pilot.pause(0.1)
        assert dashboard.screen.draft().plan().suite == "demo"
        await fill(pilot, tasks="piqa")
        assert dashboard.screen.draft().suite == ""


async def test_levels_are_switched_with_keys_and_with_the_mouse(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        dashboard.screen.query_one("#levels").focus()
        await pilot.press("right", "space")
        await pilot.click("#levels", offset=(32, 0))
        await pilot.pause(0.1)
        assert dashboard.screen.draft().levels == "0,20,30,40,60"


async def test_tasks_are_found_by_part_of_their_name(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await open_form(pilot, driver)
        await pilot.press("f2", *"arc", "enter", "escape")
        await pilot.pause(0.2)
        assert dashboard.screen.draft().tasks == "arc_challenge"


async def test_an_earlier_run_tells_how_long_it_will_take(dashboard, warehouse, driver, stubbed):
    warehouse.add()
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="demo_facts", limit="40")
        assert "as earlier runs took" in driver.text(dashboard, "#forecast")


async def test_escape_leaves_the_form_and_starts_nothing(dashboard, warehouse, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa")
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert type(dashboard.screen).__name__ == "RunsScreen"
        assert not warehouse.root.exists()


async def test_the_command_is_saved_where_the_terminal_has_no_clipboard(
    dashboard, driver, stubbed, tmp_path, monkeypatch
):
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa")
        await pilot.press("ctrl+y")
        await driver.until(pilot, lambda: list(tmp_path.glob("prune-tui-command-*.sh")))
    [path] = tmp_path.glob("prune-tui-command-*.sh")
    assert path.read_text().startswith("prune-tui run demo ")


@pytest.mark.slow
async def test_a_run_started_here_fills_the_grid_and_goes_on_when_the_dashboard_is_closed(
    dashboard, warehouse, driver, monkeypatch
):
    monkeypatch.setattr(task_index, "load", lambda folders=(): INDEX)
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="demo_facts, demo_story", name="from the form")
        dashboard.screen.query_one("#levels").chosen = {"0", "40"}
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: type(dashboard.screen).__name__ == "RunScreen")
        await driver.until(pilot, lambda: dashboard.screen.detail and dashboard.screen.detail.row.done > 0, seconds=240)
        assert dashboard.screen.detail.row.name == "from the form"
        await pilot.press("q")

    again = type(dashboard)(warehouse.database)
    async with again.run_test(size=(120, 40)) as pilot:
        await driver.loaded(pilot)
        await driver.until(pilot, lambda: again.feed.snapshot.runs[0].state == RunState.FINISHED, seconds=240)
        await driver.open_run(pilot)
        rows = {row[0]: row[1:] for row in driver.table(again, "#grid")}
        detail = again.screen.detail

    from warehouse.deltas import read_deltas

    (table,) = read_deltas(warehouse.database, model="demo").tables
    stored = {(width.level, column.task): cell.value for (width, column), cell in table.cells.items()}
    for name in ("demo_facts", "demo_story"):
        for level in ("0", "40"):
            assert detail.cells[level, name].score.value == stored[level, name]
    assert rows["▸ demo_facts"][0] == f"{stored['0', 'demo_facts']:.4f}"


@pytest.mark.parametrize("way", [("n",), ("c",), ("enter", "c")], ids=["new", "clone", "clone of the open run"])
async def test_behind_a_run_started_here_the_list_stands_on_it(dashboard, warehouse, driver, stubbed, monkeypatch, way):
    for minute in range(4):
        warehouse.add(f"20261124-04{30 + minute}00-older00", name=f"older {minute}")
    monkeypatch.setattr(launch, "start", lambda run: None)
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("slash", *"older", "enter", "down")
        for key in way:
            await pilot.press(key)
            await pilot.pause(0.3)
        await driver.until(pilot, lambda: getattr(dashboard.screen, "_index", None))
        await fill(pilot, model="demo", tasks="piqa", name="mine")
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        assert dashboard.screen.detail.row.name == "mine"
        await pilot.press("escape")
        await pilot.pause(0.5)
        assert type(dashboard.screen).__name__ == "RunsScreen"
        assert dashboard.screen.chosen().name == "mine"
