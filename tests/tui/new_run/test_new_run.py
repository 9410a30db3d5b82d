"""The form for a new run, and one run from the form to its results."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from functools import partial

import pytest
from cases import one_in
from method_package import METHOD, write_package
from settling import settle
from textual.css.query import NoMatches
from textual.events import Key
from textual.widgets import Button, Input, Label, Select

from engine import gpu
from engine.errors import UserError
from engine.planning import preview, task_index
from engine.planning.draft import Draft
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.suites import TaskSpec
from engine.planning.task_index import TaskEntry
from engine.runs import launch
from engine.runs.rundir import RunDir
from tui.new_run.form import RunForm
from tui.new_run.screen import NewRunScreen
from tui.widgets.key_footer import KeyFooter
from tui.widgets.toggle import Toggle
from warehouse.records.level import parse_levels
from warehouse.records.reading import Reading
from warehouse.records.run_state import RunState

LLAMA = Shape(
    model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, vocab_size=128_256,
    parameters=1_235_814_400, parameters_per_neuron=98_304, fused=False, cache_per_token=16_384, dtype="bfloat16",
    device="cuda",
)  # fmt: skip
GIB = 2**30
GPU = Reading(t=0.0, device="gpu 0", memory_used=2 * GIB, memory_total=141 * GIB)
CPU = Reading(t=0.0, device="cpu", memory_used=4 * GIB, memory_total=16 * GIB)
INDEX = (
    TaskEntry("arc_challenge", "task"),
    TaskEntry("demo_facts", "group", ("demo_facts_animals", "demo_facts_foods", "demo_facts_towns")),
    TaskEntry("demo_facts_animals", "task"),
    TaskEntry("demo_facts_foods", "task"),
    TaskEntry("demo_facts_towns", "task"),
    TaskEntry("demo_story", "task"),
    TaskEntry("gsm8k", "task", generates=True),
    TaskEntry("piqa", "task"),
)


@pytest.fixture
def stubbed(monkeypatch):
    """Without the processes that look at models and tasks, and on a machine with one large GPU."""
    monkeypatch.setattr(task_index, "load", lambda folders=(): INDEX)
    monkeypatch.setattr(preview, "inspect", lambda model: LLAMA)
    monkeypatch.setattr(gpu, "machine", lambda: [GPU, CPU])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


async def open_form(pilot, driver):
    await driver.loaded(pilot)
    await pilot.press("n")
    await form_is_ready(pilot, driver)


async def form_is_ready(pilot, driver):
    await driver.until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and pilot.app.screen.lookups.index)


async def fill(pilot, **fields: str):
    for name, value in fields.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await settle(pilot)


@pytest.mark.slow
async def test_every_field_shows_what_could_be_written_in_it(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        for size in [(80, 24), (120, 40), (200, 60)]:
            await pilot.resize_terminal(*size)
            await settle(pilot)
            fields = dashboard.screen.query(Input)
            assert [field.id for field in fields if field.content_size.width <= len(field.placeholder)] == [], size
            switches = dashboard.screen.query(Toggle)
            assert [one.id for one in switches if one.region.width < len(one.render().plain)] == [], size
            assert all(one.region.right <= one.parent.region.right for one in [*fields, *switches]), size


@pytest.mark.slow
async def test_it_says_what_will_happen(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="meta-llama/Llama-3.2-1B", tasks="piqa, demo_facts")
        await driver.until(pilot, lambda: "weights" in driver.text(dashboard, "#memory"))
        cells, seconds, memory, widths = (
            driver.text(dashboard, place) for place in ("#forecast", "#time", "#memory", "#widths")
        )
    assert cells == "28 evaluations: 7 levels × 4 tasks"
    assert seconds == "not known: no earlier run of this model and these tasks"
    assert memory == (
        "about 10.3 GiB: 2.3 GiB weights, 8.0 GiB to work on up to 131,072 tokens at once; GPU 0 has 139 GiB free"
    )
    assert "4,916" in widths  # 40 % of 8192, as OptiPFair rounds
    assert "914M" in widths


async def test_the_command_beside_it_does_the_same(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa", shots="5", limit="20", others="2.5x")
        command = "prune-tui run demo --levels 0,10,20,30,40,50,60,2.5x --tasks piqa@5 --limit 20 --db"
        await driver.until(pilot, lambda: command in driver.text(dashboard, "#command"))


WRONG = [
    ({"model": "/nowhere"}, "model", "There is no folder /nowhere: check the path."),
    ({"others": "4k"}, "levels", "'4k' is not a pruning level"),
    ({"others": "40"}, "levels", "Level 40 is given more than once"),
    ({"tasks": "piqua"}, "tasks", "There is no task or group 'piqua': did you mean piqa?"),
    ({"tasks": "piqa, piqa"}, "tasks", "Task piqa is given more than once"),
    ({"shots": "few"}, "shots", "'few' is no number of shots"),
    ({"limit": "-3"}, "limit", "'-3' is no number of documents"),
    ({"device": "tpu"}, "device", "There is no device 'tpu'"),
    ({"batch_tokens": "lots"}, "batch_tokens", "'lots' is no number of tokens"),
    ({"include_paths": "/nowhere"}, "include_paths", "/nowhere is not a folder: give “own tasks” the one"),
    ({"tasks": ","}, "tasks", "No task was given: choose a suite, or name tasks such as"),
    ({"others": "4099.9x"}, "levels", "Level 4099.9x would widen the model"),
]


@pytest.mark.slow
async def test_what_is_wrong_is_said_as_it_is_typed_until_it_is_right(dashboard, driver, stubbed):
    right = {name: "" for fields, _, _ in WRONG for name in fields} | {"model": "demo", "tasks": "piqa"}
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        for fields, place, sentence in WRONG:
            await fill(pilot, **(right | fields))
            said = partial(driver.text, dashboard, f"#{place}-problem")
            await driver.until(pilot, partial(lambda said, sentence: sentence in said(), said, sentence))
            assert dashboard.screen.query_one("#start", Button).disabled
            await fill(pilot, **right)
            await driver.until(pilot, partial(lambda said: not said(), said))


@pytest.mark.parametrize(
    ("draft", "field", "said"),
    [
        (Draft(model="demo", tasks="piqa", levels=""), "levels", "choose some with “levels” or “also”"),
        (Draft(model="demo", tasks="piqa", suite="demo"), "tasks", "“suite” and “tasks” were both given"),
        (Draft(model="demo", tasks="piqa", include_paths="nowhere"), "include_paths", "give “own tasks” the one"),
    ],
    ids=["levels", "tasks", "include_paths"],
)
def test_the_form_names_its_fields_and_no_option_of_the_command_line(draft, field, said):
    problem = draft.problems()[field]
    assert said in problem
    assert "--" not in problem


def test_a_clone_of_a_run_whose_suite_is_not_known_any_more_has_its_tasks(warehouse):
    draft = Draft.of(warehouse.add(suite="of long ago").plan)
    assert draft.suite == ""
    assert "demo_sums" in draft.tasks


@pytest.mark.slow
async def test_what_is_wrong_is_said_of_its_own_field_and_moves_none(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        places = [row.region for row in dashboard.screen.query(".row")]
        await fill(pilot, model="demo", tasks="piqua", shots="few")
        assert driver.text(dashboard, "#tasks-problem").startswith("! tasks: ")
        assert "did you mean piqa" in driver.text(dashboard, "#tasks-problem")
        assert "'few' is no number" in driver.text(dashboard, "#shots-problem")
        assert [str(label.content) for label in dashboard.screen.query(".wrong").results(Label)] == ["tasks", "shots"]
        assert [row.region for row in dashboard.screen.query(".row")] == places


@pytest.mark.slow
async def test_fields_that_there_is_no_room_for_are_named_on_the_frame(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(120, 12)) as pilot:
        await open_form(pilot, driver)
        form = dashboard.screen.query_one(RunForm)
        assert str(form.border_subtitle).startswith("↓ ")
        assert "own tasks" in str(form.border_subtitle)
        form.scroll_end(animate=False)
        await driver.settle(pilot)
        assert str(form.border_subtitle).startswith("↑ model")
        await pilot.resize_terminal(120, 40)
        await driver.settle(pilot)
        assert not form.border_subtitle


async def test_a_model_that_cannot_be_pruned_is_refused_before_it_runs(dashboard, driver, stubbed, monkeypatch):
    def refuse(model):
        raise UserError("gpt2 has no GLU MLPs, which are what prune-tui prunes.")

    monkeypatch.setattr(preview, "inspect", refuse)
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="gpt2", tasks="piqa")
        await driver.until(pilot, lambda: "no GLU MLPs" in driver.text(dashboard, "#model-problem"))


@pytest.mark.slow
async def test_a_model_that_nothing_could_be_found_out_about_can_be_started(dashboard, driver, stubbed, monkeypatch):
    def too_slow(model):
        raise preview.UnseenError(f"Nothing was found out about {model} within 60 seconds.")

    started = []
    monkeypatch.setattr(preview, "inspect", too_slow)
    monkeypatch.setattr("tui.new_run.screen.start_new", lambda plan, database: started.append(plan) or [][0])
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="slow/model", tasks="piqa")
        await driver.until(pilot, lambda: "within 60 seconds. A run of it can" in driver.text(dashboard, "#memory"))
        assert not dashboard.screen.query_one("#model-problem").display
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: started)
    assert started[0].model == "slow/model"


@pytest.mark.parametrize("keys", [["q", "n"], ["q", "2"], ["q", "n", "n"], ["q", "ctrl+p"]])
async def test_keys_typed_ahead_of_its_end_open_nothing(dashboard, driver, keys):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        for key in keys:
            dashboard.post_message(Key(key, key))  # as a terminal sends them: none waits for the one before it
        while dashboard.is_running:
            await asyncio.sleep(0.01)
    assert dashboard._exception is None


@pytest.mark.slow
async def test_nothing_is_complained_about_before_it_is_typed(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        assert not dashboard.screen.query_one("#model-problem").display
        assert not dashboard.screen.query_one("#tasks-problem").display


async def test_the_demo_comes_with_its_own_benchmarks_unless_others_were_chosen(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo")
        assert dashboard.screen.draft().suite == "demo"
        await fill(pilot, tasks="piqa", model="org/other")
        await fill(pilot, model="demo")
        assert (dashboard.screen.draft().suite, dashboard.screen.draft().tasks) == ("", "piqa")


@pytest.mark.slow
async def test_a_suite_and_tasks_exclude_each_other(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo")
        dashboard.screen.query_one("#suite", Select).value = "demo"
        await driver.settle(pilot)
        assert dashboard.screen.draft().plan().suite == "demo"
        await fill(pilot, tasks="piqa")
        assert dashboard.screen.draft().suite == ""


@pytest.mark.slow
async def test_levels_are_switched_with_keys_and_with_the_mouse(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        dashboard.screen.query_one("#levels").focus()
        await pilot.press("right", "space")
        await pilot.click("#levels", offset=(27, 0))
        await driver.settle(pilot)
        assert dashboard.screen.draft().levels == "0,20,30,40,60"


async def test_tasks_are_found_by_part_of_their_name(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await open_form(pilot, driver)
        await pilot.press("f2", *"arc", "enter", "escape")
        await driver.settle(pilot)
        assert dashboard.screen.draft().tasks == "arc_challenge"


@pytest.mark.slow
async def test_an_earlier_run_tells_how_long_it_will_take(dashboard, warehouse, driver, stubbed):
    warehouse.add()
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="demo_facts", limit="40")
        text = driver.text(dashboard, "#time")
    assert text == "about 6s, as earlier runs took; 5s of it to start"


@pytest.mark.slow
async def test_a_run_that_wrote_down_no_start_tells_the_rest(dashboard, warehouse, driver, stubbed):
    run = warehouse.add()
    run.journal_path.write_text(run.journal_path.read_text().replace('"kind":"stage"', '"kind":"of another version"'))
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="demo_facts", limit="40")
        text = driver.text(dashboard, "#time")
    assert text.endswith("as earlier runs took; how long they took to start was not recorded")


@pytest.mark.slow
async def test_of_a_run_that_was_taken_up_again_the_last_start_counts(dashboard, warehouse, driver, stubbed):
    run = warehouse.add()
    stages = [("import libraries", 60.0), ("read config", 1.0), ("sort neurons", 1.0)]
    again = [{"kind": "stage", "stage": stage, "level": None, "seconds": seconds} for stage, seconds in stages]
    again.append({"kind": "cell_started", "level": "60", "task": "demo_facts"})
    first = len(run.events())
    with run.journal_path.open("a") as journal:
        for at, event in enumerate(again):
            seq, t = first + at, 1795493900.0 + min(at, 2)  # an evaluation begins as the last stage ends
            journal.write(json.dumps({"seq": seq, "t": t} | event) + "\n")
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="demo_facts", limit="40")
        assert driver.text(dashboard, "#time").endswith("1m02s of it to start")


@pytest.mark.slow
async def test_a_run_that_does_not_fit_is_said_to_with_what_helps(dashboard, driver, stubbed, monkeypatch):
    monkeypatch.setattr(gpu, "machine", lambda: [replace(GPU, memory_used=133 * GIB), CPU])
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="meta-llama/Llama-3.2-1B", tasks="piqa", batch_tokens="131072")
        await driver.until(pilot, lambda: "weights" in driver.text(dashboard, "#memory"))
        text = driver.text(dashboard, "#warnings")
        assert not dashboard.screen.query_one("#start", Button).disabled
    assert text == "! GPU 0 lacks 2.3 GiB: the run fits with a batch of 65,536 tokens."


@pytest.mark.slow
async def test_tasks_that_write_text_need_a_cache(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="meta-llama/Llama-3.2-1B", tasks="piqa, gsm8k@5")
        await driver.until(pilot, lambda: "weights" in driver.text(dashboard, "#memory"))
        text = driver.text(dashboard, "#memory")
    assert text.endswith(". Writing text (gsm8k) adds 19.5 GiB per 1,000 tokens of prompt and answer, at most 54.7 GiB")


@pytest.mark.slow
async def test_layers_are_compiled_where_that_is_switched_on(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa")
        assert "--compile" not in driver.text(dashboard, "#command")
        assert not dashboard.screen.query_one("#compile").display
        dashboard.screen.query_one("#compile_layers", Toggle).focus()
        await pilot.press("space")
        await driver.settle(pilot)
        assert dashboard.screen.draft().plan().compile_layers
        assert "--tasks piqa --compile --db" in driver.text(dashboard, "#command").replace("\n", " ")
        assert "pays on a GPU, in sweeps of minutes" in driver.text(dashboard, "#compile")


@pytest.mark.slow
async def test_tasks_that_are_code_are_started_only_where_that_is_switched_on(dashboard, driver, stubbed, monkeypatch):
    entry = TaskEntry("mine", "task", code="mine.yaml runs own.prepare")
    monkeypatch.setattr(task_index, "load", lambda folders=(): (*INDEX, entry))
    async with dashboard.run_test(size=(120, 45)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa, mine")
        said = "mine.yaml runs own.prepare: read it, and switch “code” on if you trust it."
        assert driver.text(dashboard, "#forecast").replace("\n", " ") == said
        assert dashboard.screen.query_one("#start", Button).disabled
        dashboard.screen.query_one("#trust_task_code", Toggle).focus()
        await pilot.press("space")
        await driver.settle(pilot)
        assert not dashboard.screen.query_one("#start", Button).disabled
        assert "--trust-task-code" in driver.text(dashboard, "#command")


@pytest.mark.slow
async def test_tab_goes_through_the_fields_in_the_order_they_are_read(dashboard, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa")
        order = []
        for _ in range(25):
            order.append(dashboard.screen.focused.id)
            await pilot.press("tab")
    assert order == [
        "model", "recent", "method", "name", "repair", "damage", "calibration", "calibration_tokens",
        "levels", "others", "suite", "profile", "tasks", "shots", "limit", "dtype", "device", "on", "batch_tokens",
        "compile_layers", "seeds", "gpus", "include_paths", "trust_task_code", "outlook",
    ]  # fmt: skip


@pytest.mark.slow
async def test_escape_leaves_the_form_and_starts_nothing(dashboard, warehouse, driver, stubbed):
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa")
        await pilot.press("escape")
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunsScreen"
        assert not warehouse.root.exists()


@pytest.mark.slow
async def test_a_form_that_is_closing_is_not_looked_at(dashboard, driver, stubbed, monkeypatch):
    def gone(form: RunForm) -> Draft:  # its rows go one after the other
        raise NoMatches("No nodes match")

    async with dashboard.run_test(size=(80, 24)) as pilot:
        await open_form(pilot, driver)
        screen = dashboard.screen
        dashboard.pop_screen()
        assert screen.query(KeyFooter)
        monkeypatch.setattr(RunForm, "draft", gone)
        screen._look_at_model()
        screen._refresh()
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunsScreen"


@pytest.mark.slow
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

    from warehouse.read.deltas import read_deltas

    (table,) = read_deltas(warehouse.database, model="demo").tables
    stored = {(width.level, benchmark.task): cell.value for (benchmark, width), cell in table.grid.cells.items()}
    shown = {(level, line.name): cell.value for (line, level), cell in detail.grid.cells.items()}
    for name in ("demo_facts", "demo_story"):
        for level in ("0", "40"):
            assert shown[level, name] == stored[level, name]
    assert rows["▸ demo_facts"][0] == f"{stored['0', 'demo_facts']:.4f}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", one_in(3, [("n",), ("c",), ("enter", "c")], single=True), ids=["new", "clone", "clone of the open run"]
)
async def test_behind_a_run_started_here_the_list_stands_on_it(dashboard, warehouse, driver, stubbed, monkeypatch, way):
    for minute in range(4):
        warehouse.add(f"20261124-04{30 + minute}00-older00", name=f"older {minute}")
    monkeypatch.setattr(launch, "start", lambda run: None)
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("slash", *"older", "enter", "down")
        for key in way:
            await pilot.press(key)
            await driver.settle(pilot)
        await form_is_ready(pilot, driver)
        await fill(pilot, model="demo", tasks="piqa", name="mine")
        await pilot.press("ctrl+s")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        assert dashboard.screen.detail.row.name == "mine"
        await pilot.press("escape")
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunsScreen"
        assert dashboard.screen.chosen().name == "mine"


@pytest.mark.slow
async def test_methods_of_other_packages_can_be_chosen_and_their_code_does_not_run(
    dashboard, driver, stubbed, tmp_path, monkeypatch
):
    write_package(tmp_path, f"{METHOD}\nraise SystemExit('the code of a method was run')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brings_firsts", raising=False)
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await open_form(pilot, driver)
        method = dashboard.screen.query_one("#method", Select)
        titles = [str(prompt) for prompt, _ in method._options]
        method.value = "firsts"
        await fill(pilot, model="demo", tasks="piqa")
        await driver.until(pilot, lambda: "--method firsts" in driver.text(dashboard, "#command"))
    assert titles[0] == "maw: maximum absolute weight"
    assert titles[-2:] == ["firsts: first neurons", "several …"]
    assert "brings_firsts" not in sys.modules


@pytest.mark.slow
async def test_a_run_like_one_whose_method_has_gone_says_so(dashboard, driver, stubbed, tmp_path):
    plan = RunPlan(name="p", model="demo", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"),))
    run = RunDir.create(tmp_path, plan, tmp_path / "results.duckdb")
    written = run.path / "plan.json"
    written.write_text(written.read_text().replace('"maw"', '"firsts"'))
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await driver.loaded(pilot)
        dashboard.new_run_like(run.path)
        await form_is_ready(pilot, driver)
        await driver.until(pilot, lambda: "no pruning method 'firsts'" in driver.text(dashboard, "#model-problem"))
        assert dashboard.screen.query_one("#method", Select).value == "firsts"
