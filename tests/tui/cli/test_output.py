from pathlib import Path

import pytest
from rich.console import Console

from tui.cli.deltas import print_tables
from tui.cli.output import duration
from warehouse.read.deltas import read_deltas
from warehouse.text import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé ✓", "plain ünïcödé ✓"),
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("\x9b2J", "�2J"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("left\u202eright", "left�right"),
        ("no\u00a0break", "no break"),
        ("lone \udcff surrogate", "lone � surrogate"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("over\rwritten", "over written"),
    ],
)
def test_what_could_steer_a_terminal_is_replaced(text: str, shown: str):
    assert printable(text) == shown
    printable(text).encode()


def test_a_line_stays_one_line():
    assert one_line(" a\n\n b\tc ") == "a b c"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0s"), (59.4, "59s"), (59.6, "1m00s"), (75, "1m15s"), (3599, "59m59s"), (7325, "2h02m")]
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


@pytest.fixture(scope="module")
def published(study: Path) -> Path:
    return study


def shown(published: Path, width: int) -> str:
    console = Console(width=width, markup=False, highlight=False)
    with console.capture() as capture:
        print_tables(console, read_deltas(published, model="meta-llama/Llama-3.2-1B").tables)
    return capture.get()


def test_a_delta_table_has_each_change_below_its_score_and_fits_80_columns(published: Path):
    lines = shown(published, 80).splitlines()
    assert max(map(len, lines)) <= 80
    (heading,) = (line.split() for line in lines if line.split()[:1] == ["unpruned"])
    assert heading == ["unpruned", "10%", "20%", "30%", "40%", "50%", "60%"]
    mmlu = next(number for number, line in enumerate(lines) if line.startswith("MMLU"))
    assert lines[mmlu].split() == ["MMLU", "0.3111", "○0.2511", "0.2661", "0.2610", "0.2689", "0.2606", "○0.2554"]
    assert lines[mmlu + 1].split() == ["acc", "▼-19.3%", "▼-14.5%", "▼-16.1%", "▼-13.6%", "▼-16.2%", "▼-17.9%"]
    assert lines[mmlu + 1].index("-19.3%") + 6 == lines[mmlu].index("0.2511") + 6
    lambada = next(number for number, line in enumerate(lines) if line.startswith("LAMBADA"))
    assert lines[lambada + 1].split()[-1] == "▼×511"


def test_a_score_that_guessing_reaches_is_marked_and_the_mark_is_told(published: Path):
    text = shown(published, 80)
    assert "○ at chance: guessing scores as much" in " ".join(text.split())
    assert "○0.2511" in text


def test_on_a_narrow_screen_the_levels_are_shown_in_parts_each_with_the_unpruned_model(published: Path):
    lines = shown(published, 50).splitlines()
    assert max(len(line) for line in lines if "Below" not in line) <= 50
    headings = [line.split() for line in lines if line.split()[:1] == ["unpruned"]]
    assert headings == [["unpruned", "10%", "20%"], ["unpruned", "30%", "40%"], ["unpruned", "50%", "60%"]]
