"""One run's screen: its grid, its log, the GPU panel, and what can be done there."""

from __future__ import annotations

import asyncio

import pytest
from cases import one_in

from engine.runs import launch
from tui.results.matrix import mark
from tui.runs.gpu_panel import GpuPanel
from tui.runs.log_pane import LogPane
from warehouse.merging import merge
from warehouse.read.grid import Cell
from warehouse.records.events import CellStarted
from warehouse.records.run_state import RunState
from warehouse.store import db


async def test_the_grid_shows_scores_and_changes_against_the_unpruned_model(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        rows = {row[0]: row[1:] for row in driver.table(dashboard, "#grid")}
    assert list(rows) == [
        "demo_story", "demo_lambada", "▸ demo_facts", "demo_grammar", "demo_sums", "demo_instructions",
    ]  # fmt: skip
    full, *pruned = rows["demo_sums"]
    assert full == "1.0000"
    assert [text.split()[1] for text in pruned] == [
        "↓-7.5%",
        "↓-45.0%",
        "↓-90.0%",
    ]  # which way, and no more: the run is in no database
    # A perplexity that goes up is worse.
    assert [text.split()[1][0:2] for text in rows["demo_story"][1:]] == ["↓+", "↓+", "↓+"]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["#grid", "#preview"], ids=["its own screen", "beside the list"])
async def test_once_merged_the_marks_are_those_of_results(dashboard, warehouse, driver, place):
    """The same cells, the same verdicts: one test, corrected in one way."""
    run = warehouse.add()
    merge.merge_run(warehouse.database, run.path)
    with db.open_read(warehouse.database) as con:
        found = con.execute(
            "select task, pruning_pct, delta, improved, verdict, p_value from delta_statistics where is_headline"
        ).fetchall()
    expected = {
        (task, f"{pct:g}"): mark(Cell(delta=delta, improved=improved, verdict=verdict, p_value=p_value))
        for task, pct, delta, improved, verdict, p_value in found
    }
    async with dashboard.run_test(size=(120, 40)) as pilot:
        if place == "#grid":
            await driver.open_run(pilot)
        else:
            await driver.loaded(pilot)
            await driver.until(pilot, lambda: driver.table(dashboard, place))

        def marks() -> dict[tuple[str, str], str]:
            rows = {row[0].removeprefix("▸ "): row[2:] for row in driver.table(dashboard, place)}
            return {
                (task, level): text.split()[1][0]
                for task, texts in rows.items()
                for level, text in zip(("20", "40", "60"), texts, strict=True)
            }

        await driver.until(pilot, lambda: not set(marks().values()) & set("↑↓="))
        shown = marks()
    assert shown == {at: expected[at] for at in shown}
    assert {"▼", "≈"} <= set(shown.values())


async def test_80_columns_have_room_for_changes_only_and_v_asks_for_values(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(76, 24)) as pilot:
        await driver.open_run(pilot)
        assert driver.table(dashboard, "#grid")[4][1:] == ["1.0000", "↓-7.5%", "↓-45.0%", "↓-90.0%"]
        await pilot.press("v")
        await driver.settle(pilot)
        assert dashboard.screen.query_one("#grid").view_shown == "both"
        await pilot.press("v")
        await driver.settle(pilot)
        assert driver.table(dashboard, "#grid")[4][1:] == ["1.0000", "0.9250", "0.5500", "0.1000"]


async def test_enter_on_a_group_shows_its_tasks(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        await pilot.press("j", "j", "enter")
        await driver.settle(pilot)
        names = [row[0] for row in driver.table(dashboard, "#grid")]
        assert names[2:6] == ["▾ demo_facts", "demo_facts_animals", "demo_facts_foods", "demo_facts_towns"]
        await pilot.press("enter")
        await driver.settle(pilot)
        assert len(driver.table(dashboard, "#grid")) == 6


async def test_the_line_below_tells_all_about_the_chosen_cell(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        await pilot.press("j", "j", "j", "j", "l", "l")
        await driver.settle(pilot)
        text = driver.text(dashboard, "#cell")
    assert "demo_sums at 40%" in text
    assert "308 neurons a layer" in text
    assert "exact_match" in text
    assert "0.5500 ± 0.0797" in text
    assert "↓ -45.0%, worse, provisional" in text


@pytest.mark.slow
async def test_its_score_is_in_sight_at_60_columns(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(60, 20)) as pilot:
        await driver.open_run(pilot)
        await pilot.press(*"jjjjjll")  # demo_instructions, the longest name, at 40 %
        await driver.settle(pilot)
        cell = dashboard.screen.query_one("#cell")
        lines = [strip.text for strip in cell.render_lines(cell.size.region)]
    assert lines[0].startswith(" demo_instructions at 40%  308 neurons a layer")
    assert lines[1].startswith(" exact_match ")


async def test_a_failed_cell_says_why(dashboard, warehouse, driver):
    warehouse.add_failed()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        assert driver.table(dashboard, "#grid")[4][3] == "✗ fail"
        await pilot.press("j", "j", "j", "j", "l", "l")
        await driver.settle(pilot)
        assert "OutOfMemoryError: no room for one row" in driver.text(dashboard, "#cell")
        assert "1 of 32 evaluations failed" in driver.text(dashboard, "#head")


async def test_a_running_cell_shows_its_percentage_rates_and_time_left(dashboard, warehouse, driver):
    run = warehouse.add()
    # The recorded run was too quick for a progress event there: put the worker's own in its place.
    started = next(
        event for event in run.events() if isinstance(event.data, CellStarted) and event.data.task == "demo_sums"
    )
    warehouse.cut(run.journal_path, lambda event: event["seq"] == started.seq)
    with run.journal_path.open("a") as journal:
        journal.write(
            f'{{"seq":{started.seq + 1},"t":{started.t + 2},"kind":"progress","level":"0","task":"demo_sums",'
            '"done":10,"total":40,"tokens":1234}\n'
        )
    async with dashboard.run_test(size=(120, 40)) as pilot:
        with run.lock():
            await driver.open_run(pilot)
            assert driver.table(dashboard, "#grid")[4][1] == "▶ 25%"
            assert driver.table(dashboard, "#grid")[5][1] == "·"
            head = driver.text(dashboard, "#head")
    assert "0% demo_sums · 10/40 requests · 5.0 requests/s · 617 tokens/s · task 6s left" in head
    assert "▶ running" in head


async def test_the_grid_fills_in_while_it_is_looked_at(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("20", "demo_lambada"))
    whole = (warehouse.recording / "journal.jsonl").read_bytes()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        assert driver.table(dashboard, "#grid")[4][2:] == ["·", "·", "·"]
        run.journal_path.write_bytes(whole)
        await driver.until(pilot, lambda: dashboard.screen.detail.row.state == RunState.FINISHED)
        assert driver.table(dashboard, "#grid")[4][4] == "0.1000   ↓-90.0%"  # not merged yet
        assert any("finished" in line.text for line in dashboard.screen.detail.log)


@pytest.mark.slow
async def test_the_log_opens_at_its_end_and_stays_there_unless_somebody_scrolled_up(dashboard, warehouse, driver):
    run = warehouse.add(until=driver.cell("40", "demo_lambada"))
    whole = (warehouse.recording / "journal.jsonl").read_bytes()
    async with dashboard.run_test(size=(100, 30)) as pilot:
        await driver.loaded(pilot)
        await pilot.press("enter")
        await driver.until(pilot, lambda: getattr(dashboard.screen, "detail", None) is not None)
        log = dashboard.screen.query_one(LogPane)
        await driver.until(pilot, lambda: log.max_scroll_y and log.scroll_y == log.max_scroll_y)
        await pilot.resize_terminal(100, 24)
        await driver.until(pilot, lambda: log.scroll_y == log.max_scroll_y)
        run.journal_path.write_bytes(whole)
        await driver.until(pilot, lambda: dashboard.screen.detail.log[-1].text == "finished")
        assert log.scroll_y == log.max_scroll_y
        assert "finished" in log.render_line(log.size.height - 1).text
        log.scroll_home(animate=False, immediate=True)
        with run.journal_path.open("a") as journal:
            seq = len(run.events())
            journal.write(f'{{"seq":{seq},"t":1.0,"kind":"log","level_name":"info","message":"one more"}}\n')
        await driver.until(pilot, lambda: dashboard.screen.detail.log[-1].text == "one more")
        assert log.scroll_y == 0


@pytest.mark.slow
async def test_the_panel_shows_what_the_run_recorded_of_the_machine(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(160, 45)) as pilot:
        await driver.open_run(pilot)
        numbers = driver.text(dashboard, "#gpu .numbers")
    assert "CPU" in numbers
    assert "no GPU is shown: no NVIDIA driver is installed" in numbers
    assert "mem" in numbers


@pytest.mark.slow
async def test_g_changes_between_log_and_gpu_where_there_is_no_room_for_both(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.open_run(pilot)
        assert dashboard.screen.query_one("#log").region.width > 0
        assert dashboard.screen.query_one("#gpu").region.width == 0
        await pilot.press("b")
        await driver.settle(pilot)
        assert dashboard.screen.query_one("#gpu").region.width > 0
        assert dashboard.screen.query_one("#log").region.width == 0
        await pilot.resize_terminal(160, 45)
        await driver.settle(pilot)
        assert dashboard.screen.query_one("#log").region.width > 0


async def test_an_interrupted_run_is_taken_up_again_with_one_key(dashboard, warehouse, driver, monkeypatch):
    warehouse.add(until=driver.cell("20", "demo_lambada"))
    started = []
    monkeypatch.setattr(launch, "start", started.append)
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.open_run(pilot)
        assert "! interrupted" in driver.text(dashboard, "#head")
        await pilot.press("r")
        await driver.until(pilot, lambda: started)


async def test_deleting_the_run_goes_back_to_the_list(dashboard, warehouse, driver):
    run = warehouse.add()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.open_run(pilot)
        await pilot.press("d", "y")
        await driver.until(pilot, lambda: not run.path.exists())
        assert type(dashboard.screen).__name__ == "RunsScreen"


async def test_the_grid_is_copied_as_markdown_and_its_sql_is_of_this_run(dashboard, warehouse, driver, monkeypatch):
    warehouse.add()
    copied, opened = [], []
    monkeypatch.setattr(type(dashboard), "copy_to_clipboard", lambda self, text: copied.append(text))
    monkeypatch.setattr(type(dashboard), "open_sql", lambda self, statement: opened.append(statement))
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await driver.open_run(pilot)
        await pilot.press("y", "s")
    assert "| demo_sums " in copied[0]
    assert "0.55" in copied[0]
    assert f"run_id = '{driver.RUN}'" in opened[0]


@pytest.mark.slow
async def test_help_lists_the_keys_of_the_screen(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 60)) as pilot:
        await driver.open_run(pilot)
        await pilot.press("question_mark")
        await driver.settle(pilot)
        keys = {key: words for _, lines in dashboard.screen._keys for key, words, applies in lines if applies}
        assert keys["v"] == "Show values, changes, or both"
        assert keys["q"] == "Close the dashboard; runs go on"
        await pilot.press("escape")
        await driver.settle(pilot)
        assert type(dashboard.screen).__name__ == "RunScreen"


@pytest.mark.slow
@pytest.mark.parametrize("press", one_in(2, ["question_mark", "f1"]))
async def test_help_lists_no_key_that_is_refused_now(dashboard, warehouse, driver, press):
    warehouse.add()
    async with dashboard.run_test(size=(120, 60)) as pilot:
        await driver.open_run(pilot)
        await pilot.press(press)
        await driver.settle(pilot)
        words = {words: applies for _, lines in dashboard.screen._keys for _, words, applies in lines}
        assert words["Play the run back from its journal"]
        assert not words["Stop the run after its current batch"]  # it has ended
        await pilot.press("escape", "R")
        await driver.until(pilot, lambda: type(dashboard.screen).__name__ == "ReplayScreen")
        await pilot.press(press)
        await driver.settle(pilot)
        keys = {key: words for _, lines in dashboard.screen._keys for key, words, applies in lines if applies}
    assert keys["space p"] == "Play/pause"
    assert keys["c"] == "A new run with the same choices, to change and start"
    assert not {"r", "x", "R", "d delete"} & set(keys)


@pytest.mark.slow
async def test_another_theme_has_its_colours_in_a_run_that_has_ended(dashboard, warehouse, driver):
    warehouse.add_failed()
    async with dashboard.run_test(size=(120, 36)) as pilot:
        await driver.open_run(pilot)
        before = dashboard.theme_variables
        dashboard.theme = "light"
        await driver.settle(pilot)
        widgets = [dashboard.screen.query_one(place) for place in ("#head", "#grid", "#log")]
        drawn = {
            segment.style.color.name.upper()
            for widget in widgets
            for strip in widget.render_lines(widget.size.region)
            for segment in strip
            if segment.style and segment.style.color
        }
    for colour in ("gain", "loss", "neutral", "primary"):
        assert before[colour].upper() not in drawn
    assert dashboard.theme_variables["loss"].upper() in drawn


@pytest.mark.slow
async def test_two_dashboards_look_at_the_same_run(dashboard, warehouse, driver):
    warehouse.add()
    other = type(dashboard)(warehouse.database)
    async with dashboard.run_test(size=(80, 24)) as one, other.run_test(size=(120, 40)) as two:
        await driver.open_run(one)
        await driver.open_run(two)
        assert dashboard.screen.detail.row == other.screen.detail.row


@pytest.mark.slow
async def test_news_that_come_while_the_screen_is_being_built_wait_for_it(dashboard, warehouse, driver, monkeypatch):
    compose = GpuPanel._compose

    async def slowly(panel: GpuPanel) -> None:
        await asyncio.sleep(1.5)  # several pulls
        await compose(panel)

    monkeypatch.setattr(GpuPanel, "_compose", slowly)
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.loaded(pilot)
        dashboard.feed.watch(dashboard.feed.snapshot.runs[0].run_id)
        await driver.until(pilot, lambda: dashboard.feed.snapshot.detail is not None)
        await driver.open_run(pilot)
        assert driver.table(dashboard, "#grid")[4][0] == "demo_sums"


async def test_enter_on_a_cell_leads_to_its_documents_beside_the_unpruned_models(dashboard, warehouse, driver):
    warehouse.add()
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await driver.open_run(pilot)
        await pilot.press(*["down"] * 4, *["right"] * 2, "enter")
        await driver.until(pilot, lambda: type(dashboard.screen).__name__ == "DocumentsScreen")
        screen = dashboard.screen
        assert (screen.side.label, screen.other.label) == ("40%", "unpruned")
        assert driver.text(dashboard, "#documents-title").startswith("Documents of demo_sums")
        await driver.until(pilot, lambda: screen.query_one("#documents-said").display)  # it is in no database
        await pilot.press("escape")
        assert type(dashboard.screen).__name__ == "RunScreen"
