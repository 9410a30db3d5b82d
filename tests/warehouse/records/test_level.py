"""Levels as people write them, and the widths they mean."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import UserError
from warehouse.records.level import Level, level_label, parse_levels, width_label


@pytest.fixture(scope="module")
def optipfair() -> Any:
    return pytest.importorskip("optipfair.pruning.mlp_glu")


def optipfair_width(optipfair: Any, full: int, hidden: int, pct: float, divisor: int | None = None) -> int:
    from torch import nn

    mlp = nn.Module()
    mlp.gate_proj, mlp.up_proj = nn.Linear(hidden, full, bias=False), nn.Linear(hidden, full, bias=False)
    mlp.down_proj = nn.Linear(full, hidden, bias=False)
    return optipfair.prune_neuron_pairs(mlp, pct, expansion_divisor=divisor)[3]


@pytest.mark.parametrize(
    ("pct", "width"), [(0, 8192), (10, 7373), (20, 6554), (30, 5735), (40, 4916), (50, 4096), (60, 3277)]
)
def test_the_published_widths_follow(pct: int, width: int) -> None:
    assert Level.parse(str(pct)).intermediate_size(8192, 2048) == width


def test_at_least_one_neuron_stays() -> None:
    assert Level.parse("99").intermediate_size(2, 8) == 1


@pytest.mark.parametrize("pct", [1, 10, 12.5, 33.3, 50, 60, 99])
@pytest.mark.parametrize("divisor", [None, 32, 64, 128, 256])
def test_percentages_and_divisors_mean_the_same_widths_as_in_optipfair(
    optipfair: Any, pct: float, divisor: int | None
) -> None:
    full, hidden = 1100, 8
    width = optipfair_width(optipfair, full, hidden, pct, divisor)
    if divisor is not None and width < divisor:
        with pytest.raises(UserError, match=f"fewer than the divisor of {divisor}"):
            Level("pct", pct).intermediate_size(full, hidden, divisor)
    else:
        assert Level("pct", pct).intermediate_size(full, hidden, divisor) == width


@pytest.mark.parametrize("ratio", [0.5, 1.4, 2.0, 2.4, 3.3])
def test_expansion_ratios_mean_the_same_widths_as_in_optipfair(optipfair: Any, ratio: float) -> None:
    full, hidden = 333, 100
    pct = optipfair.calculate_pruning_percentage_from_expansion_rate(full, hidden, ratio * 100)
    assert Level("ratio", ratio).intermediate_size(full, hidden) == optipfair_width(optipfair, full, hidden, pct)


def test_an_exact_width_is_taken_as_it_is() -> None:
    level = Level.parse("w4096")
    assert level.intermediate_size(8192, 2048) == 4096
    assert level.pruning_pct(8192, 4096) == 50.0


@pytest.mark.parametrize(
    ("text", "canonical"), [("40", "40"), (" 40% ", "40"), ("12.50", "12.5"), ("2.4x", "2.4x"), ("W4096", "w4096")]
)
def test_each_level_has_one_name(text: str, canonical: str) -> None:
    assert str(Level.parse(text)) == canonical


@pytest.mark.parametrize("text", ["w8192", "4x", "0"])
def test_a_level_of_exactly_the_models_width_is_the_unpruned_model(text: str) -> None:
    assert Level.parse(text).intermediate_size(8192, 2048) == 8192


def test_lists_keep_their_order() -> None:
    assert [str(level) for level in parse_levels("60, 0,20%")] == ["60", "0", "20"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("forty", "'forty' is not a pruning level"),
        ("-10", "'-10' is not a pruning level"),
        ("100", "outside 0–99"),
        ("0x", "must be above zero"),
        ("w0", "at least one neuron"),
        ("20,40,20%", "20 is given more than once"),
        (" , ", "No pruning level was given"),
    ],
)
def test_what_is_not_a_level_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        parse_levels(text)


@pytest.mark.parametrize("text", ["w9000", "4.5x"])
def test_a_level_cannot_widen_the_model(text: str) -> None:
    with pytest.raises(UserError, match=f"{text} would widen the model"):
        Level.parse(text).intermediate_size(8192, 2048)


@pytest.mark.parametrize(
    ("text", "full", "divisor", "width", "pct"),
    [
        ("10", 512, None, 461, 10.0),  # 10.0 % of 512 are 51.2 neurons
        ("10", 512, 128, 384, 25.0),
        ("50", 512, 128, 256, 50.0),
        ("10", 8192, 64, 7360, 10.16),
        ("20", 8192, 256, 6400, 21.88),
        ("12.5", 512, 64, 448, 12.5),
        ("2.4x", 512, 64, 256, 50.0),
        ("w461", 512, None, 461, 9.96),
    ],
)
def test_a_share_is_the_one_asked_for_only_where_that_is_what_is_left_out(
    text: str, full: int, divisor: int | None, width: int, pct: float
) -> None:
    level = Level.parse(text)
    assert level.intermediate_size(full, 128, divisor) == width
    assert level.pruning_pct(full, width) == pct


@pytest.mark.parametrize(("divisor", "full"), [(256, 512), (1000, 512), (129, 512), (2049, 8192), (2, 7)])
@pytest.mark.parametrize("text", ["10", "0", "w1", "0.5x"])
def test_a_divisor_above_a_quarter_of_the_width_is_refused(divisor: int, full: int, text: str) -> None:
    with pytest.raises(UserError, match=f"{divisor} is too coarse for {full} neurons a layer: .* at most {full // 4}"):
        Level.parse(text).intermediate_size(full, 2, divisor)


@pytest.mark.parametrize(("text", "divisor"), [("99", 128), ("90", 64), ("w100", 128), ("0.1x", 32)])
def test_rounding_never_leaves_one_neuron_that_nobody_asked_for(text: str, divisor: int) -> None:
    with pytest.raises(UserError, match=f"Level {text} leaves .* neurons a layer, fewer than the divisor of {divisor}"):
        Level.parse(text).intermediate_size(512, 128, divisor)


@pytest.mark.parametrize(("text", "label"), [("40", "40%"), ("12.5%", "12.5%"), ("2.4x", "2.4x"), ("w4096", "w4096")])
def test_people_read_a_percentage_as_one(text: str, label: str) -> None:
    assert Level.parse(text).label == label


@pytest.mark.parametrize(
    ("text", "label", "at_39"),
    [("40", "40%", "39%"), ("2.4x", "2.4x", "2.4x"), ("w4096", "w4096", "w4096"), ("?", "?", "?")],
)
def test_a_recorded_level_is_told_as_asked_for_and_as_it_came_out(text: str, label: str, at_39: str):
    assert level_label(text) == label
    assert width_label(text, 39.0) == at_39
