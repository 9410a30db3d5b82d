"""How sure a change is, in words."""

from __future__ import annotations

from typing import Any

import pytest

from tui.results.certainty import certainty, sentence
from tui.results.matrix import CHANCE, VIEWS, cell_text
from warehouse.read.grid import Benchmark, Cell, Width

PAIRED = {
    "ci_low": -0.052, "ci_high": -0.011, "ci_low_pct": -9.1, "ci_high_pct": -1.9, "stderr_kind": "paired",
    "unpaired_because": None, "p_value": 0.0021, "p_kind": "score, paired", "p_holm": 0.0252, "verdict": "loss",
    "pairs": 1838, "lost": 90, "gained": 32, "agreement": 0.874, "chance": 0.5, "retained_pct": 71.3,
}  # fmt: skip


def test_interval_error_test_flips_and_chance_are_said():
    assert certainty(Cell(**PAIRED)).splitlines() == [
        "95 % interval -0.0520 to -0.0110 (-9.1% to -1.9%), unadjusted · paired error · score, paired: p = 0.0021, "
        "p = 0.025 over all benchmarks of this width (Holm) · a loss, beyond noise",
        "1,838 documents compared · 90 lost, 32 gained · 87.4% answered alike",
        "chance scores 0.5000; 71.3% of the unpruned model's lead over it is left",
    ]


def test_a_perplexity_is_told_as_a_factor_with_its_interval():
    cell = Cell(
        ci_low=1.0, ci_high=1e25, ci_low_pct=12.0, ci_high_pct=1e9, factor=3.6e21, factor_low=1.12, factor_high=7e24
    )
    assert certainty(cell) == "×3.6e+21, 95 % interval ×1.12 to ×7.0e+24, unadjusted"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, ""),
        ({"p_value": 1e-9, "p_kind": "z, unpaired"}, "z, unpaired: p < 0.0001"),
        ({"stderr_kind": "unpaired", "unpaired_because": "no samples"}, "unpaired error, no samples"),
        ({"unpaired_because": "no samples"}, ""),
        ({"unpaired_because": "not compared yet"}, "its documents are not compared yet: a merge does it"),
        ({"chance": 0.25}, "chance scores 0.2500; the unpruned model is not clear of it"),
    ],
)
def test_what_is_not_known_is_left_out(facts: dict[str, Any], told: str):
    assert certainty(Cell(**facts)) == told


@pytest.mark.parametrize(
    ("because", "told"),
    [
        ("there are no results per document", "better; not tested, its standard error is not known"),
        ("not compared yet", "better; not compared yet"),
    ],
)
def test_a_change_that_is_still_to_be_compared_is_not_called_untested(because: str, told: str):
    benchmark = Benchmark("wikitext", "word_perplexity", "none", 0, "1", "WikiText", "perplexity")
    width = Width("id", "m", "maw", None, "20", 20.0, 80, unpruned=False)
    cell = Cell(value=10.0, baseline=12.0, delta=-2.0, delta_pct=-16.7, improved=True, unpaired_because=because)
    assert sentence(benchmark, width, cell).endswith(told)


@pytest.mark.parametrize(
    ("value", "stderr", "at"), [(0.2511, 0.0037, True), (0.2573, 0.0037, False), (0.25, None, True)]
)
def test_a_score_that_is_not_clear_of_chance_is_said_to_be_at_chance(value: float, stderr: float | None, at: bool):
    mmlu = Benchmark("mmlu", "acc", "none", 5, "1", "MMLU", "score")
    width = Width("m", "Llama", "maw", None, "40", 40.0, 60, False)
    cell = Cell(
        value=value, stderr=stderr, chance=0.25, baseline=0.31, delta=value - 0.31, delta_pct=-19.0, improved=False,
        verdict="loss",
    )  # fmt: skip
    assert sentence(mmlu, width, cell).startswith("at chance (0.2500): acc") is at
    assert ("guessing does as well" in certainty(cell)) is at
    for view in VIEWS:
        text = cell_text(cell, view)
        assert (CHANCE in text) is (at and text != "untested")
        assert len(text) <= 8
    assert cell_text(cell, "relative") == ("▼○-19.0%" if at else "▼ -19.0%")
    assert (CHANCE in cell_text(cell, "value", unpruned=True)) is at
