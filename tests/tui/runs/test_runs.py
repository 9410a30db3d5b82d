"""The list of runs: what it shows, and what can be done from it."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import pytest
from template import copied

from engine.errors import UserError
from engine.runs import launch, launch_record
from tui.app import Dashboard
from tui.runs import actions
from tui.runs.record import damaged
from warehouse.merging.merge import merge_run
from warehouse.records.run_state import RunState
from warehouse.store import db


def test_the_dashboard_starts_as_its_command_starts_it(dashboard):
    """Not as tests do: from Python 3.12 on Textual begins tasks eagerly then, before there is a screen."""
    screens = []

    async def look(pilot):
        await pilot.pause()
        screens.append(type(pilot.app.screen).__name__)
        pilot.app.exit()

    dashboard.run(headless=True, auto_pilot=look)
    assert dashboard._exception is None
    assert screens == ["RunsScreen"]


async def test_runs_are_listed_newest_first_with_their_state(dashboard, warehouse, driver):
    warehouse.add()
    warehouse.add_failed()
    warehouse.add("20261124-041900-cut000", until=driver.cell("20", "demo_lambada"), name="cut off")
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        rows = driver.table(dashboard, "#runs")
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("one failed", "✗ 1 failed", "31/32"),
        ("cut off", "! interrupted", "10/32"),
        ("demo", "✓ finished", "32/32"),
    ]


async def test_a_run_whose_process_lives_is_running_and_one_that_died_is_interrupted(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        with run.lock():
            await driver.until(pilot, lambda: [row.state for row in dashboard.feed.snapshot.runs] == [RunState.RUNNING])
            assert driver.table(dashboard, "#runs")[0][3] == "▶ running"
            assert "x stops it" in driver.text(dashboard, "#advice")
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs[0].state == RunState.INTERRUPTED)
        assert "died without a word" in driver.text(dashboard, "#advice")
        assert "r takes it up again" in driver.text(dashboard, "#advice")


@pytest.mark.parametrize(
    ("worker", "why"),
    [
        ("import sys; sys.exit('ImportError: no module named torch')", "ended before it began: ImportError: no module"),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "ended before it began, without a word",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["exits", "killed"],
)
async def test_a_worker_that_dies_before_its_first_event_is_not_queued_for_ever(
    dashboard, warehouse, driver, monkeypatch, worker, why
):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    run.journal_path.unlink()
    monkeypatch.setattr(launch, "module_command", lambda _, *arguments: [sys.executable, "-c", worker, *arguments])
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        assert driver.table(dashboard, "#runs")[0][3] == "○ queued"
        await pilot.press("r")
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs[0].state == RunState.INTERRUPTED)
        assert driver.table(dashboard, "#runs")[0][3] == "! interrupted"
        assert why in driver.text(dashboard, "#advice")
        assert "r starts it again" in driver.text(dashboard, "#advice")
        started = []
        monkeypatch.setattr(launch, "start", lambda run: started.append(run.path))
        await pilot.press("r")
        await driver.until(pilot, lambda: started)
        await pilot.press("enter")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        assert why in driver.text(dashboard, "#head")


async def test_what_a_journal_gains_is_shown_while_the_dashboard_is_open(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    whole = (warehouse.recording / "journal.jsonl").read_bytes()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        assert driver.table(dashboard, "#runs")[0][4] == "10/32"
        run.journal_path.write_bytes(whole)
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs[0].state == RunState.FINISHED)
        assert driver.table(dashboard, "#runs")[0][3:5] == ["✓ finished", "32/32"]


async def test_resume_starts_the_worker_of_the_chosen_run(dashboard, warehouse, driver, monkeypatch):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    started = []
    monkeypatch.setattr(launch, "start", lambda run: started.append(run.path))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("r")
        await driver.until(pilot, lambda: started)
    assert started == [run.path]


async def test_a_finished_run_is_not_resumed(dashboard, warehouse, driver, monkeypatch):
    warehouse.add()
    monkeypatch.setattr(launch, "start", lambda run: pytest.fail("it was started"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("r", "x")
        await driver.settle(pilot)
        assert driver.said(dashboard) == []


class Asked:
    """A worker that was asked to stop and does not."""

    run_id = "20261124-041733-7037b0c"
    killed: ClassVar[list[bool]] = []

    def is_alive(self) -> bool:
        return True

    def why(self) -> str:
        return "its process 7 is suspended"

    def kill(self) -> None:
        self.killed.append(True)


async def test_stop_asks_the_process_that_holds_the_run(dashboard, warehouse, driver, monkeypatch):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    stopped = []
    monkeypatch.setattr("tui.runs.actions.stop", lambda row: stopped.append(row.folder) or Asked())
    monkeypatch.setattr("tui.app.PATIENCE", 0.2)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        with run.lock():
            await driver.until(pilot, lambda: dashboard.feed.snapshot.runs and dashboard.feed.snapshot.runs[0].running)
            await pilot.press("x")
            await driver.until(pilot, lambda: stopped)
            await driver.until(pilot, lambda: len(driver.said(dashboard)) == 2)
            asked, not_yet = driver.said(dashboard)
            assert asked == "Run demo stops after its current batch."
            assert "has not stopped within 0.2 seconds: its process 7 is suspended. x asks" in not_yet
            await pilot.press("x")
            await pilot.pause()
            assert "its process 7 is suspended" in driver.text(dashboard, "ConfirmScreen Static")
            await pilot.press("y")
            await driver.until(pilot, lambda: Asked.killed)
    assert stopped == [run.path]


@pytest.mark.slow
async def test_delete_names_the_run_and_does_nothing_unless_it_is_confirmed(dashboard, warehouse, driver):
    run = warehouse.add()
    merge_run(warehouse.database, run.path)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("d")
        await pilot.pause()
        question = driver.text(dashboard, "ConfirmScreen Static")
        assert "demo" in question
        assert driver.RUN in question
        await pilot.press("enter")  # the button in focus is No
        await driver.settle(pilot)
        assert run.path.exists()
        await pilot.press("d", "y")
        await driver.until(pilot, lambda: not run.path.exists() and not dashboard.feed.snapshot.runs)


async def test_a_defect_in_what_was_asked_for_is_said(dashboard, warehouse, driver, monkeypatch):
    run = warehouse.add()
    monkeypatch.setattr("tui.runs.actions.delete", lambda *_: [][0])
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("d", "y")
        await driver.until(pilot, lambda: driver.said(dashboard))
        (said,) = driver.said(dashboard)
    assert "a defect of prune-tui (IndexError: list index out of range)" in said
    assert run.path.exists()


async def test_a_running_run_is_not_deleted(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        with run.lock():
            await driver.until(pilot, lambda: dashboard.feed.snapshot.runs and dashboard.feed.snapshot.runs[0].running)
            await pilot.press("d")
            await driver.settle(pilot)
            assert driver.said(dashboard) == ["Run demo is running: stop it first (x)."]
    assert run.path.exists()


@pytest.mark.slow
def test_a_run_that_another_process_has_just_resumed_is_not_deleted(warehouse):
    run = warehouse.add()
    merge_run(warehouse.database, run.path)
    row = damaged(run.run_id, run.path, "")
    with run.lock(), pytest.raises(UserError, match="is being worked on by process"):
        actions.delete([row], warehouse.database)
    launch_record.write(run.path, launch_record.Start.of(os.getpid(), turns=0, log_size=0))  # and does not hold it yet
    with pytest.raises(UserError, match="has just been taken up by process"):
        actions.delete([row], warehouse.database)
    assert run.state() == RunState.FINISHED
    with db.open_read(warehouse.database) as con:
        assert con.execute("select count(*) > 0 from cells").fetchall() == [(True,)]
    (run.path / "start.json").unlink()
    actions.delete([row], warehouse.database)
    assert list(warehouse.root.iterdir()) == []


async def test_runs_that_only_the_database_knows_are_listed_too(dashboard, warehouse, driver, study):
    copied(study, warehouse.database)
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs)
        rows = driver.table(dashboard, "#runs")
        assert {row[2] for row in rows} == {"↓ imported"}
        side = driver.text(dashboard, "#side-head")
    assert "published measurements of Llama-3.2-3B" in side
    assert "↓ imported  Brought in from elsewhere: enter shows its results." in side


async def test_a_damaged_run_says_so_and_the_others_are_shown(dashboard, warehouse, driver):
    warehouse.add()
    broken = warehouse.add("20261124-042500-broken", name="broken")
    broken.journal_path.write_text("this is no event\n" + broken.journal_path.read_text())
    changed = warehouse.add("20261124-042600-changed", name="changed")
    changed.journal_path.write_text(changed.journal_path.read_text().replace('"seconds":', '"secondz":'))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        states = [row[3] for row in driver.table(dashboard, "#runs")]
        assert sorted(states) == ["✓ finished", "✗ damaged", "✗ damaged"]


async def test_without_runs_the_screen_says_what_to_press(dashboard, driver, monkeypatch):
    pressed = []
    monkeypatch.setattr(type(dashboard), "start_demo", lambda self: pressed.append("demo"))
    monkeypatch.setattr(type(dashboard), "import_published", lambda self: pressed.append("published"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        assert dashboard.screen.query_one("EmptyState").display
        await pilot.press("D", "I")
        assert pressed == ["demo", "published"]


async def test_a_first_start_says_what_is_wrong_with_the_database(dashboard, warehouse, driver):
    warehouse.database.write_text("minutes of the meeting")
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.until(pilot, lambda: dashboard.feed.snapshot.problem)
        said = driver.text(dashboard, "EmptyState Static")
        assert "results.duckdb is not a DuckDB database: name another file with --db." in " ".join(said.split())
        assert "Results go to" not in said
        warehouse.database.unlink()
        await driver.until(pilot, lambda: "Results go to" in driver.text(dashboard, "EmptyState Static"))


async def test_runs_are_followed_whatever_became_of_the_database(dashboard, warehouse, driver):
    warehouse.database.write_text("minutes of the meeting")
    warehouse.add()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.until(pilot, lambda: len(driver.table(dashboard, "#runs")) == 1)
        warehouse.add("20261124-050000-second0")
        await driver.until(pilot, lambda: len(driver.table(dashboard, "#runs")) == 2)
        assert "is not a DuckDB database" in driver.text(dashboard, "#advice")


async def test_runs_of_a_database_that_got_another_ending_are_told_of(warehouse, driver):
    warehouse.add()
    dashboard = Dashboard(warehouse.database.with_suffix(".db"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.until(pilot, lambda: dashboard.feed.snapshot.problem)
    assert (dashboard.feed.snapshot.problem or "").startswith(
        f"There are no runs of results.db in {warehouse.root}; it holds runs of results.duckdb (renamed? Make "
    )


async def test_a_demo_that_was_started_has_the_cursor(dashboard, warehouse, driver, monkeypatch):
    warehouse.add()

    def start_new(plan, database):
        return warehouse.add("20261124-050000-second0", name=plan.name)

    monkeypatch.setattr("engine.runs.create.start_new", start_new)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        dashboard.start_demo()
        await driver.until(pilot, lambda: dashboard.screen.chosen().run_id == "20261124-050000-second0")
        assert driver.said(dashboard) == ["The demo runs: enter shows it."]


async def test_a_refused_run_can_be_seen_until_the_dashboard_that_started_it_is_closed(dashboard, warehouse, driver):
    run = warehouse.add()
    run.journal_path.write_text('{"seq": 0, "t": 1764000000, "kind": "refused", "error": "no such task"}\n')
    other = warehouse.add("20261124-050000-second0")
    other.journal_path.write_bytes(run.journal_path.read_bytes())
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.until(pilot, lambda: len(dashboard.feed.snapshot.runs) == 2)
        assert run.path.exists()
    actions.remove_refused([run], dashboard.feed.snapshot.runs)
    assert (run.path.exists(), other.path.exists()) == (False, True)


@pytest.mark.slow
async def test_enter_on_an_import_shows_its_results(dashboard, warehouse, driver, study):
    copied(study, warehouse.database)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs)
        await pilot.press("enter")
        await driver.until(pilot, lambda: type(dashboard.screen).__name__ == "ResultsScreen")
        await driver.until(pilot, lambda: driver.said(dashboard))
        assert driver.said(dashboard) == [
            "published measurements of Llama-3.2-3B has no scores to show here: measurements only, or later ones took "
            "their place."
        ]
        await pilot.press("1", "d")
        await driver.settle(pilot)
        assert "This removes its results" in str(dashboard.screen.query("Static").first().render())
        assert "no finished evaluation" not in str(dashboard.screen.query("Static").first().render())


@pytest.mark.slow
async def test_clone_opens_the_form_with_the_same_choices(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("c")
        await driver.settle(pilot)
        draft = dashboard.screen.draft()
        assert (draft.model, draft.levels, draft.suite, draft.limit) == ("demo", "0,20,40,60", "demo", "40")


async def test_the_list_is_copied_as_markdown_and_saved_as_csv(dashboard, warehouse, driver, tmp_path, monkeypatch):
    warehouse.add()
    monkeypatch.chdir(tmp_path)
    copied = []
    monkeypatch.setattr(type(dashboard), "copy_to_clipboard", lambda self, text: copied.append(text))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("y")
        assert f"| {driver.RUN} | demo | demo  | maw    |" in copied[0]
        await pilot.press("ctrl+e")
        await driver.settle(pilot)
        await pilot.press("down", "down", "enter")
        await driver.settle(pilot)
    (file,) = tmp_path.glob("runs-*.csv")
    assert file.read_text().splitlines()[0] == "run,name,model,method,levels,state,done,failed,cells,started,repair"


async def test_quitting_says_that_runs_go_on(dashboard, warehouse, driver, capsys):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    with run.lock():
        async with dashboard.run_test(size=(80, 24)) as pilot:
            await driver.until(pilot, lambda: dashboard.feed.snapshot.runs and dashboard.feed.snapshot.runs[0].running)
            await pilot.press("q")
        assert run.holder() is not None
    assert "1 run continues" in capsys.readouterr().err


async def test_pause_holds_the_display_still(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("p")
        run.journal_path.write_bytes((warehouse.recording / "journal.jsonl").read_bytes())
        await driver.until(pilot, lambda: dashboard.feed.snapshot.runs[0].state == RunState.FINISHED)
        assert driver.table(dashboard, "#runs")[0][4] == "10/32"
        await pilot.press("p")
        await driver.settle(pilot)
        assert driver.table(dashboard, "#runs")[0][4] == "32/32"


async def test_a_click_chooses_a_run(dashboard, warehouse, driver):
    warehouse.add()
    warehouse.add_failed()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.loaded(pilot)
        await pilot.click("#runs", offset=(3, 2))
        await driver.settle(pilot)
        assert dashboard.screen.chosen().run_id == driver.RUN


async def test_the_title_says_how_many_runs_there_are_and_o_sorts_them(dashboard, warehouse, driver):
    warehouse.add_failed()
    warehouse.add("20261124-041900-cutoff0", until=driver.cell("20", "demo_lambada"), name="cut off")
    warehouse.add()

    def listed() -> list[str]:
        return [row[0] for row in driver.table(dashboard, "#runs")]

    async with dashboard.run_test(size=(100, 24)) as pilot:
        await driver.loaded(pilot)
        assert driver.text(dashboard, "#runs-title") == "Runs  3 runs"
        assert listed() == ["one failed", "cut off", "demo"]
        await pilot.press("o", "home", "enter")
        await driver.settle(pilot)
        assert listed() == ["cut off", "demo", "one failed"]
        assert driver.text(dashboard, "#runs-title").endswith("by run")
        await pilot.press("o", "enter")
        await driver.settle(pilot)
        assert listed() == ["one failed", "demo", "cut off"]


async def test_runs_called_alike_are_told_apart_and_numbers_stand_right(dashboard, warehouse, driver):
    warehouse.add()
    warehouse.add("20261124-042200-again00")
    async with dashboard.run_test(size=(100, 24)) as pilot:
        await driver.loaded(pilot)
        table = dashboard.screen.query_one("#runs")
        assert [str(table.get_row_at(row)[0]) for row in (0, 1)] == ["demo ·again00", "demo ·7037b0c"]
        progress, started = (str(table.get_row_at(0)[place]) for place in (4, 5))
        assert progress.endswith("32/32")
        assert len(started) == table.ordered_columns[5].width - 1 == len(str(table.ordered_columns[5].label))


@pytest.mark.slow
async def test_enter_on_an_imported_run_shows_that_run(study, driver):
    from tui.app import Dashboard
    from tui.results.screen import ResultsScreen

    dashboard = Dashboard(study)
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.loaded(pilot)
        await driver.until(pilot, lambda: len(driver.table(dashboard, "#runs")) == 5)
        names = [row[1] for row in driver.table(dashboard, "#runs")]
        await pilot.press(*["down"] * names.index("Llama-3.2-1B-Instruct"), "enter")
        await driver.until(pilot, lambda: isinstance(dashboard.screen, ResultsScreen))
        screen = dashboard.screen
        assert isinstance(screen, ResultsScreen)
        await driver.until(pilot, lambda: {one.model for one in screen._matrix.columns} == {INSTRUCT})


INSTRUCT = "meta-llama/Llama-3.2-1B-Instruct"
