"""Down to the question: the documents behind a cell, and one of them with what two levels made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from documents import answered
from rich.console import Console
from run_writer import RunWriter
from textual.pilot import Pilot
from textual.widgets import Static

from tui.app import Dashboard
from tui.results.cell_screen import answered as told
from tui.results.document_text import Answered, Side, document_text
from tui.results.documents_screen import DocumentsScreen
from tui.widgets.filter_line import FilterLine
from warehouse.merging import merge
from warehouse.read.documents import Document, LevelAnswers, Score

COLOURS: dict[str, str] = dict.fromkeys(("primary", "loss", "gain", "neutral"), "red")
UNPRUNED, PRUNED = Side("unpruned", "r1", "0", "unpruned"), Side("40%", "r1", "40", "40%")


def one(level: str, target: Any, *, choices=(), likelihoods=(), greedy=(), texts=(), scores=(), prompts=("Q?",)):
    given = LevelAnswers(level, likelihoods, greedy, texts, scores)
    return Document("r1", "t", 3, "hash", prompts, choices, target, (given,))


def drawn(before: Document, after: Document, metric: str, filter_: str = "none") -> list[str]:
    console = Console(width=80, color_system=None)
    sides = [Answered(UNPRUNED, before), Answered(PRUNED, after)]
    with console.capture() as capture:
        console.print(document_text(sides, metric, filter_, COLOURS))
    return [line.strip() for line in capture.get().splitlines() if line.strip()]


def test_choices_come_with_gold_and_what_each_level_took():
    choices = (" yes", " no")
    lines = drawn(
        one("0", 0, choices=choices, likelihoods=(-0.5, -2.0), scores=(Score("acc", "none", 1.0, "0"),)),
        one("40", 0, choices=choices, likelihoods=(-3.0, -1.25), scores=(Score("acc", "none", 0.0, "1"),)),
        "acc",
    )
    assert lines[:4] == ["Question", "Q?", "Gold answer", "1. yes"]
    assert [line.split() for line in lines if "yes" in line or " no" in line][1:] == [
        ["✓", "1.", "yes", "-0.500", "◀", "-3.000"],
        ["2.", "no", "-2.000", "-1.250", "◀"],
    ]
    assert lines[-1].split() == ["acc", "1.0000", "took", "1", "0.0000", "took", "2"]


def test_texts_stand_side_by_side_with_what_each_filter_left():
    lines = drawn(
        one("0", "42", texts=("It is 42.",), scores=(Score("exact_match", "strict", 1.0, '"42"'),)),
        one("40", "42", texts=("Many.",), scores=(Score("exact_match", "strict", 0.0, '"[invalid]"'),)),
        "exact_match",
        "strict",
    )
    assert lines[3] == "42"
    assert any(line.split() == ["It", "is", "42.", "Many."] for line in lines)
    assert lines[-1].split() == ["exact_match,", "strict", "1.0000", "“42”", "0.0000", "“[invalid]”"]


def test_prompts_of_their_own_name_the_choices_and_a_single_one_says_whether_it_was_greedy():
    same = one("0", 1, prompts=("Ann", "Bob"), choices=(" left", " left"), likelihoods=(-1.0, -2.0))
    two = drawn(same, same, "acc")
    assert "2. Bob" in two
    last_word = drawn(
        one("0", " box", choices=(" box",), likelihoods=(-0.1,), greedy=(True,)),
        one("40", " box", choices=(" box",), likelihoods=(-4.0,), greedy=(False,)),
        "acc",
    )
    assert any("-0.100 greedy" in line and "-4.000 not greedy" in line for line in last_word)


def test_text_of_others_cannot_steer_the_terminal():
    hostile = one("0", "\x1b[2Jx", prompts=("\x1b]0;title\x07",))
    lines = drawn(hostile, hostile, "acc")
    assert not any("\x1b" in line or "\x07" in line for line in lines)


@pytest.mark.parametrize(
    ("response", "shown"),
    [(None, ""), ("2", "choice 3"), ('"a  b"', "a b"), ("not json", "not json"), ("true", "True")],
)
def test_an_answer_in_a_table_is_a_choice_by_its_number_or_a_text(response: Any, shown: str):
    assert told(response) == shown


async def opened(pilot: Pilot[None], until, **more: Any) -> DocumentsScreen:
    screen = DocumentsScreen("piqa", "acc", "none", PRUNED, UNPRUNED, among=[UNPRUNED, PRUNED], **more)
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: "Gold answer" in text(screen))
    return screen


def text(screen: DocumentsScreen) -> str:
    shown = screen.query_one("#document-text", Static).visual
    return "\n".join(strip.text for strip in shown.render_strips(100, 60, screen.visual_style, _options()))  # type: ignore[attr-defined]


def _options():
    from textual.visual import RenderOptions

    return RenderOptions(lambda names: None, {})  # type: ignore[arg-type, return-value]


async def test_the_list_is_narrowed_by_words_of_the_question_and_read_in_full(questioned: Path, until):
    async with Dashboard(questioned).run_test(size=(100, 40)) as pilot:
        screen = await opened(pilot, until)
        assert [(row.doc_id, row.flipped) for row in screen.shown] == [(0, False), (1, False)]
        await pilot.press("slash", *"q1")
        await until(pilot, lambda: [row.doc_id for row in screen.shown] == [1])
        assert isinstance(screen.focused, FilterLine)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "Q1: Bär?" in text(screen))
        assert not screen.query_one("#documents-list").display
        await pilot.press("escape", "escape")
        assert len(screen.shown) == 2
        await pilot.press("f")
        assert (screen.kind, screen.shown) == ("flipped", [])
        await pilot.press("escape")
        assert pilot.app.screen is not screen


@pytest.mark.slow
async def test_another_level_or_method_can_stand_beside_it(questioned: Path, until):
    other = Side("0 again", "r1", "0", "0")
    async with Dashboard(questioned).run_test(size=(100, 40)) as pilot:
        screen = DocumentsScreen("piqa", "acc", "none", PRUNED, UNPRUNED, among=[UNPRUNED, other, PRUNED])
        await pilot.app.push_screen(screen)
        await until(pilot, lambda: "Gold answer" in text(screen))
        await pilot.press("m", "down", "enter")
        await until(pilot, lambda: screen.other == other and "0 again" in text(screen))


@pytest.mark.slow
async def test_a_run_that_kept_no_documents_says_so_and_shows_what_the_database_has(tmp_path: Path, until):
    run = RunWriter(tmp_path / "results.runs" / "r1")
    run.start()
    for level in ("0", "40"):
        answered(run, level, before=True)
    merge.merge_run(tmp_path / "results.duckdb", run.folder)
    async with Dashboard(tmp_path / "results.duckdb").run_test(size=(100, 40)) as pilot:
        screen = DocumentsScreen("piqa", "acc", "none", PRUNED, UNPRUNED)
        await pilot.app.push_screen(screen)
        said = screen.query_one("#documents-said", Static)
        await until(pilot, lambda: "made before documents were kept" in str(said.render()))
        await until(pilot, lambda: "unpruned: 0.0000" in text(screen))


@pytest.mark.slow
async def test_imported_figures_have_no_documents_and_the_screen_says_so(study: Path, until):
    async with Dashboard(study).run_test(size=(100, 40)) as pilot:
        screen = DocumentsScreen("piqa", "acc", "none", PRUNED, UNPRUNED)
        await pilot.app.push_screen(screen)
        said = screen.query_one("#documents-said", Static)
        await until(pilot, lambda: "imported figures have none" in str(said.render()))
