"""Query: statements run in a process of their own, their errors point at the line, and nothing stops the dashboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import one_in
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import OptionList, Static, Tree

from tui.app import Dashboard
from tui.query.answer_plot import AnswerPlotScreen, answer_plot
from tui.query.completion import complete
from tui.query.dialogs import NameIt, WholeValue
from tui.query.result_table import sorted_rows
from tui.query.screen import QueryScreen
from tui.query.sql_editor import CompletionList, SqlEditor
from tui.query.store import QueryStore, shipped
from tui.shell.choose import ChooseOne
from tui.shell.export_screen import ExportScreen
from tui.shell.help_screen import HelpScreen
from tui.widgets.grid import Grid
from tui.widgets.key_footer import KeyFooter
from warehouse.console.console import run_sql
from warehouse.exporters.tables import Table
from warehouse.read.relations import Source

NARROW, WIDE = (80, 24), (160, 45)


def screen(pilot: Pilot) -> QueryScreen:
    assert isinstance(pilot.app.screen, QueryScreen)
    return pilot.app.screen


def said(pilot: Pilot) -> str:
    return str(pilot.app.screen.query_one("#query-said", Static).render())


def answer(pilot: Pilot) -> list[str]:
    grid = pilot.app.screen.query_one("#answer", Grid)
    return [" ".join(grid.render_line(y).text.split()) for y in range(grid.size.height)]


async def shown(pilot: Pilot, until) -> None:
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen) and bool(screen(pilot).query(SqlEditor)))
    await until(pilot, lambda: bool(screen(pilot).query_one(SqlEditor).sources))


async def run(pilot: Pilot, until, sql: str, key: str = "f5") -> None:
    screen(pilot).query_one(SqlEditor).text = sql
    await pilot.press(key)
    await until(pilot, lambda: not screen(pilot).running)


@pytest.mark.parametrize("key", one_in(3, ["f5", "ctrl+j", "ctrl+enter"]))
async def test_a_statement_runs_and_its_rows_are_shown(dashboard: Dashboard, until, key: str):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select task, position from benchmarks order by position limit 2", key)
        assert answer(pilot)[:3] == ["# task position", "1 mmlu 1", "2 gsm8k 2"]
        assert said(pilot).startswith("2 rows · 2 columns · ")


@pytest.mark.slow
async def test_keys_that_come_in_one_go_are_typed_before_the_statement_runs(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        for character in "select 4711":
            pilot.app.post_message(Key(character, character))
        pilot.app.post_message(Key("f5", None))
        await until(pilot, lambda: screen(pilot).table is not None)
        assert answer(pilot)[1] == "1 4711"


@pytest.mark.slow
async def test_help_tells_of_enter_where_it_shows_a_value_and_not_where_it_begins_a_line(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select 1")
        for key, told in (("f1", False), ("escape", None), ("escape", None), ("f1", True)):
            await pilot.press(key)
            await until.settle(pilot)
            if told is not None:
                assert isinstance(pilot.app.screen, HelpScreen)
                words = {words for _, lines in pilot.app.screen._keys for _, words, applies in lines if applies}
                assert ("Show the whole value of a cell" in words) is told


async def test_an_error_marks_its_line_and_keeps_the_last_answer(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select 42 as kept")
        await run(pilot, until, "select task,\n  valuex\nfrom benchmarks")
        assert "valuex" in said(pilot)
        assert "The last answer stays below." in said(pilot)
        editor = screen(pilot).query_one(SqlEditor)
        assert editor.fault == (1, 2)
        assert editor.cursor_location == (1, 2)
        assert answer(pilot)[1] == "1 42"


@pytest.mark.slow
async def test_nothing_can_be_written_and_no_other_file_read(dashboard: Dashboard, until, tmp_path: Path):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        for sql in (
            "drop table runs",
            f"copy runs to '{tmp_path / 'out.csv'}'",
            f"from read_csv('{tmp_path / 'secret.csv'}')",
            "set memory_limit = '10GB'",
            "select 1; select 2",
        ):
            await run(pilot, until, sql)
            assert screen(pilot).query_one("#query-said").has_class("-wrong"), sql
            assert screen(pilot).table is None
        assert not (tmp_path / "out.csv").exists()


async def test_escape_cancels_a_query_that_runs(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        screen(pilot).query_one(SqlEditor).text = "select sum(a.range) from range(1000000000000) a, range(9) b"
        await pilot.press("f5")
        await until(pilot, lambda: "esc cancels" in said(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not screen(pilot).running)
        assert said(pilot).startswith("Cancelled")


@pytest.mark.slow
async def test_the_footer_tells_what_escape_does_now_and_no_key_that_would_be_typed(dashboard: Dashboard, until):
    def hints() -> dict[str, str]:
        return {part.key: part.words for part in screen(pilot).query_one(KeyFooter).parts}

    async with dashboard.run_test(size=WIDE) as pilot:
        await shown(pilot, until)
        await until(pilot, lambda: (hints().get("esc"), hints().get("f1")) == ("Leave", "Help"))
        assert not {"?", "q", "n", "1"} & set(hints())
        await run(pilot, until, "select 1 as one")
        await pilot.press("escape")
        await until(pilot, lambda: hints().get("esc") == "Edit")
        assert hints().get("?") == "Help"
        screen(pilot).query_one(SqlEditor).text = "select sum(a.range) from range(1000000000000) a, range(9) b"
        await pilot.press("f5")
        await until(pilot, lambda: hints().get("esc") == "Cancel")
        await pilot.press("escape")
        await until(pilot, lambda: hints().get("esc") == "Edit")
        await pilot.press("escape")
        await until(pilot, lambda: hints().get("esc") == "Leave")


async def test_the_screen_answers_while_a_query_runs(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        editor = screen(pilot).query_one(SqlEditor)
        editor.text = "select sum(a.range) from range(1000000000000) a"
        await pilot.press("f5")
        await pilot.press("end", "enter", "x")
        assert editor.text.endswith("\nx")
        await pilot.press("escape", "escape")


@pytest.mark.slow
async def test_tables_and_columns_complete_after_an_alias_and_tab_takes_one(dashboard: Dashboard, until):
    async with dashboard.run_test(size=WIDE) as pilot:
        await shown(pilot, until)
        editor, popup = screen(pilot).query_one(SqlEditor), screen(pilot).query_one(CompletionList)
        await pilot.press(*"from basel")
        await until(pilot, lambda: popup.display)
        assert popup.chosen is not None
        assert popup.chosen.text == "baseline_deltas"
        await pilot.press("tab", *" d where d.pru")
        await until(pilot, lambda: popup.display)
        await pilot.press("tab")
        await pilot.pause()
        assert editor.text == "from baseline_deltas d where d.pruning_pct"
        assert not popup.display
        await pilot.press(*" > d.del")
        await until(pilot, lambda: popup.display)
        await pilot.press("down", "escape")
        assert not popup.display
        assert editor.has_focus


def test_completions_put_columns_of_the_named_tables_first():
    sources = {"t": Source("t", "table", "", {"value": "DOUBLE", "task": "VARCHAR"}),
               "valid": Source("valid", "view", "", {"x": "INTEGER"})}  # fmt: skip
    assert [one.text for one in complete("select va from t", 9, sources)][:3] == ["value", "valid", "values"]
    assert [one.text for one in complete("select a. from t as a", 9, sources)] == ["value", "task"]
    assert complete("select b. from t as a", 9, sources) == []
    assert [one.text for one in complete("select x from v", 15, sources)][:1] == ["valid"]


def test_before_from_the_columns_of_all_tables_complete_and_after_it_tables_come_first():
    sources = {"t": Source("t", "table", "", {"value": "DOUBLE"}),
               "valid": Source("valid", "view", "", {"value": "DOUBLE", "vast": "INTEGER"})}  # fmt: skip
    found = complete("select va", 9, sources)
    assert [(one.text, one.detail) for one in found][:3] == [
        ("value", "in t and 1 more"), ("vast", "in valid"), ("valid", "view"),
    ]  # fmt: skip
    assert [one.text for one in complete("select 1 from va", 16, sources)][:1] == ["valid"]


def test_an_answer_is_drawn_by_its_numbers_with_a_line_for_each_of_few_words():
    table = Table(
        ["model", "level", "score"], ["VARCHAR", "BIGINT", "DOUBLE"],
        [("a", 20, 0.5), ("a", 0, 0.7), ("b", 0, None), ("b", 20, 0.4)], False,
    )  # fmt: skip
    plot = answer_plot(table, 2, 1, dark=True)
    assert [(one.label, [(p.x, p.y) for p in one.points]) for one in plot.series] == [
        ("a", [(0.0, 0.7), (20.0, 0.5)]), ("b", [(20.0, 0.4)]),
    ]  # fmt: skip
    assert (plot.x.title, plot.y.title) == ("level", "score")
    by_row = answer_plot(table, 1, None, dark=True)
    assert [p.x for p in by_row.series[0].points] == [1.0, 2.0]


@pytest.mark.slow
async def test_an_answer_is_dimmed_while_a_newer_one_is_awaited_and_p_plots_it(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        query = screen(pilot)
        query.query_one(SqlEditor).text = "select range as a, range * 2 as b from range(5)"
        await pilot.press("f5")
        await until(pilot, lambda: query.table is not None and not query.running)
        assert not query.answer.has_class("-stale")
        query.query_one(SqlEditor).text = "select count(*) from range(100000000000)"
        await pilot.press("f5")
        await until(pilot, lambda: query.running)
        assert query.answer.has_class("-stale")
        assert len(query.answer.model) == 5
        await pilot.press("escape")
        await until(pilot, lambda: not query.running)
        assert not query.answer.has_class("-stale")
        query.answer.focus()
        await pilot.press("P")
        await until(pilot, lambda: isinstance(pilot.app.screen, AnswerPlotScreen) and pilot.app.screen.is_mounted)
        title = pilot.app.screen.query_one("#answer-plot-title", Static)
        assert str(title.render()) == "a  against b"
        await pilot.press("right_square_bracket")
        assert str(title.render()).startswith("b  against")
        await pilot.press("escape")
        assert pilot.app.screen is query


@pytest.mark.slow
async def test_a_tab_keeps_its_statement_and_its_answer(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        query = screen(pilot)
        editor = query.query_one(SqlEditor)
        editor.text = "select 1 as first"
        await pilot.press("f5")
        await until(pilot, lambda: query.table is not None and not query.running)
        said = str(query.query_one("#query-said", Static).render())
        await pilot.press("ctrl+n")
        assert (editor.text, query.table) == ("", None)
        editor.text = "select 2 as second"
        await until(pilot, lambda: "neither run nor saved" in query.unsaved())
        await pilot.press("ctrl+pageup")
        assert editor.text == "select 1 as first"
        assert query.table is not None
        assert query.table.columns == ["first"]
        assert str(query.query_one("#query-said", Static).render()) == said
        assert "neither run nor saved" in query.unsaved()  # in the other tab
        title = str(query.query_one("#query-title", Static).render())
        assert "select 1 as first" in title
        assert "select 2 as second" in title
        await pilot.press("ctrl+pagedown", "f4")
        assert editor.text == "select 1 as first"
        assert query.unsaved() == ""
        await pilot.press("f4")
        assert editor.text == "select 1 as first"  # the last one stays


async def test_saved_queries_open_and_ones_own_are_kept_in_a_file(dashboard: Dashboard, until, tmp_path: Path):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        assert pilot.app.screen.query_one(OptionList).option_count == len(shipped())
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen))
        assert screen(pilot).query_one(SqlEditor).text == shipped()[0].sql
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, NameIt))
        await pilot.press(*"mine", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen))
        path = screen(pilot).store.path
        assert tmp_path in path.parents
        await until(pilot, path.exists)
        assert json.loads(path.read_text())["saved"] == {"mine": shipped()[0].sql.strip() + "\n"}


@pytest.mark.slow
async def test_what_ran_is_in_the_history_of_the_next_session(study: Path, until):
    async with Dashboard(study).run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select 1 as first")
        await run(pilot, until, "select 2 as second")
        await until(pilot, lambda: "second" in screen(pilot).store.path.read_text())
    async with Dashboard(study).run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await until(pilot, lambda: bool(screen(pilot).store.history))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen))
        assert screen(pilot).query_one(SqlEditor).text == "select 1 as first"


def test_a_broken_file_of_queries_is_set_aside_not_lost(tmp_path: Path):
    path = tmp_path / "queries.json"
    path.write_text("{half")
    store = QueryStore(path)
    assert "could not be read" in (store.load() or "")
    assert path.with_suffix(".unreadable").read_text() == "{half"
    assert store.load() is None
    path.write_text("[half")
    assert store.load() is not None
    assert path.with_suffix(".unreadable").read_text() == "{half"


@pytest.mark.parametrize("saved", shipped(), ids=lambda saved: saved.name)
def test_every_shipped_query_runs_on_the_study(study: Path, saved):
    assert saved.sql.startswith("-- ")
    table = run_sql(study, saved.sql)
    assert table.rows or saved.name in ("failed cells", "which method loses more")  # it has neither


@pytest.mark.slow
async def test_a_large_answer_is_shown_in_part_and_exported_whole(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select range as n, 'x' || range as name from range(25000)")
        assert said(pilot).startswith("the first 10,000 rows; G reads on; ctrl+e exports all of them")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExportScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, QueryScreen))
        table = screen(pilot).table
        assert table is not None
        assert len(table.rows) == 25_000


@pytest.mark.slow
async def test_at_the_last_row_more_are_fetched_and_the_cursor_stays(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select range as n from range(25000) order by n")
        grid = screen(pilot).query_one("#answer", Grid)
        await pilot.press("escape")
        for loaded, row in ((20_000, 9_999), (25_000, 19_999)):
            await pilot.press("G")
            await until(pilot, lambda loaded=loaded: len(grid.model) == loaded)
            assert grid.cursor.y == row
        await pilot.press("G")
        await until(pilot, lambda: grid.cursor.y == 24_999)
        assert not screen(pilot).running
        assert said(pilot).startswith("25,000 rows")


@pytest.mark.slow
async def test_escape_cancels_fetching_more_and_keeps_what_is_there(dashboard: Dashboard, until):
    slow = "select a.range as n from range(10001) a union all select sum(b.range) from range(1000000000000) b"
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select range as n from range(20001)")
        screen(pilot).ran = slow
        grid = screen(pilot).query_one("#answer", Grid)
        await pilot.press("escape", "G")
        await until(pilot, lambda: screen(pilot).running)
        await pilot.press("escape")
        await until(pilot, lambda: not screen(pilot).running)
        assert said(pilot).startswith("Cancelled")
        assert len(grid.model) == 10_000


async def test_the_answer_sorts_by_the_column_at_the_cursor_and_opens_a_long_value(dashboard: Dashboard, until):
    async with dashboard.run_test(size=NARROW) as pilot:
        await shown(pilot, until)
        await run(pilot, until, "select * from (values (2, 'b'), (1, repeat('long ', 40)), (null, 'c')) t(n, s)")
        await pilot.press("escape", "o")
        await pilot.pause()
        assert [line.split()[1] for line in answer(pilot)[1:4]] == ["1", "2", "null"]
        await pilot.press("l", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WholeValue))
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, QueryScreen)


def test_sorting_mixed_values_does_not_fail():
    assert sorted_rows([(2,), ("a",), (None,)], 0, False) == [(2,), ("a",), (None,)]


@pytest.mark.slow
async def test_a_column_chosen_from_the_tree_goes_into_the_statement(dashboard: Dashboard, until):
    async with dashboard.run_test(size=WIDE) as pilot:
        await shown(pilot, until)
        tree = screen(pilot).query_one(Tree)
        assert tree.display
        tree.focus()
        await pilot.press("down", "enter", "down", "enter")
        await pilot.pause()
        assert (
            screen(pilot).query_one(SqlEditor).text
            in screen(pilot).query_one(SqlEditor).sources["baseline_deltas"].columns
        )
        await pilot.press("ctrl+t")
        assert not tree.display
