"""Damage in Compare: told in its own unit, and apart from the benchmarks that are counted."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from tui.compare import grids
from tui.compare.grids import SidesModel
from tui.compare.wording import line_in_words, pairs, tally
from tui.widgets.palette import Palette
from warehouse.read.side_by_side import Matched, PairTest

PALETTE = Palette("#00ff00", "#ff0000", "#888888", "#000000", "#ffffff")


def filled(row: type[Any], /, **told: Any) -> Any:
    """A row of which only this is known."""
    return row(**{one.name: told.get(one.name) for one in fields(row)})


DAMAGE: PairTest = filled(
    PairTest, basis_value=40.0, benchmark="damage", metric="kl_divergence", task="damage", measure="value",
    first_model="org/Tiny", second_model="org/Tiny", first_id="m", second_id="m", first_method="maw",
    first_repair="none", second_method="obs", second_repair="lsq", first_subject="a", second_subject="b",
    first_amount=0.1057, second_amount=0.0179, difference=-0.0878, ci_low=-0.1047, ci_high=-0.0716, p_holm=0.0012,
    p_kind="bootstrap",
    loses_more="first", higher_is_better=False,
)  # fmt: skip
PIQA = replace(
    DAMAGE, benchmark="PIQA", metric="acc", task="piqa", measure="percent", first_amount=-20.0, second_amount=-5.0,
    difference=15.0, ci_low=2.0, ci_high=28.0, p_kind="score, paired", higher_is_better=True,
)  # fmt: skip


def test_a_pair_is_told_its_difference_in_nats_and_benchmarks_are_counted_without_it():
    [pair] = pairs([DAMAGE, PIQA], 40.0)
    assert tally(pair).plain.splitlines() == [
        "MAW loses more on 1, OBS + LSQ on 0 of 1 tested; 0 within noise; all on the same questions.",
        "kl_divergence MAW 0.1057, OBS + LSQ 0.0179: -0.0878 [-0.1047…-0.0716], Holm p 0.001 on the same texts; beyond "
        "noise.",
    ]
    model = grids.TestsModel(pair, PALETTE)
    assert [model.cell(0, column)[0] for column in range(7)] == [
        "damage", "0.1057", "0.0179", "-.088", "-.105…-.072", "0.001", "▼ MAW",
    ]  # fmt: skip
    assert [model.cell(1, column)[0] for column in range(5)] == ["PIQA", "-20.0%", "-5.0%", "+15.0", "+2.0…+28.0"]


def test_where_only_damage_was_measured_no_benchmark_is_spoken_of():
    untested = replace(DAMAGE, ci_low=None, ci_high=None, p_holm=None, unpaired_because="there is only one document")
    [pair] = pairs([untested], 40.0)
    assert tally(pair).plain == "kl_divergence MAW 0.1057, OBS + LSQ 0.0179: not compared, there is only one document."


def test_side_by_side_damage_has_its_interval_and_makes_nobody_best():
    row: Matched = filled(
        Matched, benchmark="damage", metric="kl_divergence", task="damage", kind="damage", model="Tiny", method="maw",
        repair="none", subject="a", value=0.1, delta=0.1, stderr=0.01, improved=False, rank=2, pruning_pct=40.0,
        unpruned=False, model_id="m",
    )  # fmt: skip
    other = replace(row, method="obs", repair="lsq", subject="b", value=0.02, delta=0.02, rank=1)
    line = {"a": row, "b": other}
    assert line_in_words(line, {"a": "maw", "b": "obs + lsq"}) == (
        "maw kl_divergence 0.1000 [0.0804…0.1196] · obs + lsq kl_divergence 0.0200 [0.0004…0.0396]"
    )
    model = SidesModel([row, other], PALETTE, "scores")
    assert model.wins() == []
    assert [model.cell(0, column)[0] for column in (1, 2, 3, 4)] == ["0.1000", "▽+0.1000", "★ 0.0200", "▽+0.0200"]
