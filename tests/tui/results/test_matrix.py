"""What a cell of the delta matrix says, and the order of its rows and columns."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tui.results.certainty import sentence
from tui.results.matrix import beyond_noise, cell_text, groups, mark, searched, sorted_by, z_score
from tui.results.matrix_export import COLUMNS, MatrixSheet, long_form, markdown
from tui.shell.queries import Reader, choices, chosen
from warehouse.read.grid import Cell, change, is_better, results

LOSS, GAIN, NOISE = {"verdict": "loss"}, {"verdict": "gain"}, {"verdict": "noise"}


def cell(**facts: Any) -> Cell:
    found = Cell(**{"value": 0.3, "baseline": 0.4, "higher_is_better": True} | facts)
    if found.delta is not None or found.value is None or found.baseline is None:
        return found
    delta, delta_pct = change(found.value, found.baseline)
    return replace(found, delta=delta, delta_pct=delta_pct, improved=is_better(delta, found.higher_is_better))


@pytest.mark.parametrize(
    ("facts", "view", "text"),
    [
        ({}, "value", "▽ 0.3000"),
        ({}, "relative", "▽ -25.0%"),
        ({}, "absolute", "▽-0.1000"),
        ({}, "significance", "untested"),
        (LOSS, "relative", "▼ -25.0%"),
        (LOSS | {"delta_stderr": 0.02}, "significance", "▼  -5.0σ"),
        (NOISE | {"delta_stderr": 0.1}, "significance", "≈  -1.0σ"),
        (NOISE, "relative", "≈ -25.0%"),
        ({"value": 0.5}, "relative", "△ +25.0%"),
        (GAIN | {"value": 0.5}, "relative", "▲ +25.0%"),
        ({"value": 0.4}, "relative", "≈  +0.0%"),
        (LOSS | {"value": 12.0, "baseline": 6.0, "higher_is_better": False}, "relative", "▼  +100%"),
        ({"value": 5012388.0, "baseline": 6.0, "higher_is_better": False}, "relative", "▽  +84M%"),
        ({"value": 5012388.0, "baseline": 6.0, "higher_is_better": False}, "value", "▽  5.01M"),
        (GAIN | {"value": 3.0, "baseline": 6.0, "higher_is_better": False}, "absolute", "▲-3.0000"),
        ({"baseline": None}, "relative", "n/a"),
        ({"metric": "kl_divergence", "baseline": 0.0, "higher_is_better": False}, "relative", "▽+0.3000"),
        ({"baseline": None}, "value", "0.3000"),
        ({"unpruned": True, "baseline": None}, "relative", "0.3000"),
        ({"value": math.nan, "baseline": 6.0, "delta": math.nan}, "value", "NaN"),
    ],
)
def test_a_cell_says_direction_and_number_in_eight_characters(facts: dict[str, Any], view, text: str):
    unpruned = facts.pop("unpruned", False)
    assert cell_text(cell(**facts), view, unpruned=unpruned) == text
    assert len(text) <= 8


def test_a_cell_that_was_not_measured_is_a_dash():
    assert cell_text(None, "relative") == "–"


def test_what_is_beyond_noise_is_the_verdict_after_holm_not_the_size():
    assert beyond_noise(cell(**LOSS))
    assert beyond_noise(cell(**NOISE, p_value=0.02)) is False  # before the correction it would have been
    assert beyond_noise(cell()) is None  # nobody knows
    assert mark(cell()) == "▽"


@pytest.mark.parametrize(("p", "sign"), [(0.05, "▼"), (0.051, "≈")])
def test_a_metric_that_is_in_no_table_is_judged_by_its_own_p(p: float, sign: str):
    assert mark(cell(p_value=p)) == sign


def test_an_unchanged_score_is_no_standard_errors_away():
    assert z_score(cell(value=0.4, delta_stderr=0.0)) == 0
    assert z_score(cell(delta_stderr=0.0)) is None


@pytest.fixture(scope="module")
def matrix(study: Path):
    reader = Reader(study)
    [known] = reader.ask("a", reader.turn("a"), choices())
    [rows] = reader.ask("a", reader.turn("a"), chosen("matrix_rows", [one.key for one in known]))
    return results(rows)


def test_benchmarks_go_down_as_in_the_study_and_widths_across_from_the_unpruned_one(matrix):
    assert [benchmark.name for benchmark in matrix.rows][:3] == ["MMLU", "GSM8K", "ARC-C"]
    assert [benchmark.name for benchmark in matrix.rows][-2:] == ["WikiText", "LAMBADA"]
    assert [(first.model.partition("/")[2], count) for first, count in groups(matrix)] == [
        ("Llama-3.2-1B", 7),
        ("Llama-3.2-1B-Instruct", 4),
        ("Llama-3.2-3B", 7),
    ]
    assert [width.label for width in matrix.columns[:7]] == ["unpruned", "10%", "20%", "30%", "40%", "50%", "60%"]


def test_sorting_puts_the_largest_losses_first_and_perplexities_among_them(matrix):
    at_40 = matrix.columns[4]
    losses = [benchmark.name for benchmark in sorted_by(matrix, at_40, losses_first=True).rows]
    assert losses[:3] == ["LAMBADA", "WikiText", "GSM8K"]
    assert losses[-1] == "IFEval"
    gains = [benchmark.name for benchmark in sorted_by(matrix, at_40, losses_first=False).rows]
    assert gains[0] == "IFEval"


def test_searching_looks_at_names_tasks_and_metrics(matrix):
    assert [benchmark.name for benchmark in searched(matrix, "perplex").rows] == ["WikiText", "LAMBADA"]
    assert [benchmark.name for benchmark in searched(matrix, "arc_ch").rows] == ["ARC-C"]
    assert searched(matrix, "nothing").rows == ()


def test_a_cell_in_words_says_how_sure_it_is(matrix):
    musr = next(benchmark for benchmark in matrix.rows if benchmark.name == "MuSR")
    at = {width.label: width for width in matrix.columns[:7]}
    told = sentence(musr, at["40%"], matrix.cells[musr, at["40%"]])
    assert told == (
        "acc_norm 0.4286 ± 0.0174 against 0.3399: +0.0887 (+26.1%), 95 % (unadjusted) +0.0414 to +0.1360, better "
        "beyond noise (p = 0.0014 after Holm)"
    )
    assert "within noise" in sentence(musr, at["10%"], matrix.cells[musr, at["10%"]])
    wikitext = next(benchmark for benchmark in matrix.rows if benchmark.name == "WikiText")
    assert sentence(wikitext, at["40%"], matrix.cells[wikitext, at["40%"]]).endswith(
        "worse; not tested, its standard error is not known"
    )


def test_as_markdown_all_models_stand_in_one_table_with_their_conditions(matrix):
    text = markdown(matrix, "relative")
    assert text.count("### ") == 1
    assert text.count(": all documents, NVIDIA L4; run") == 3
    line = next(line for line in text.splitlines() if line.startswith("| MMLU"))
    assert [cell.strip() for cell in line.strip("|").split("|")][:4] == ["MMLU", "acc", "0.3111", "▼○-19.3%"]


def test_as_latex_the_levels_stand_under_their_models(matrix):
    sheet = MatrixSheet("Changes", COLUMNS, long_form(matrix), None, matrix, "relative")
    lines = sheet.latex().splitlines()
    assert lines[lines.index(r"\toprule") + 1].count(r"\multicolumn") == 3
    assert any(line.startswith("MMLU & 0.3111 & 0.2511 (") for line in lines)
