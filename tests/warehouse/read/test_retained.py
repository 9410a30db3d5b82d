"""What a level keeps, as a gate takes it."""

from __future__ import annotations

import pytest

from warehouse.errors import UserError
from warehouse.read.retained import retained


@pytest.fixture
def swept(new_run, merged, database):
    """piqa 0.5, boolq 0.8 and a floor at zero unpruned; boolq was not reached at 40 %."""
    run = new_run("r1")
    run.start()
    for level, task, value in (
        ("0", "piqa", 0.5), ("0", "boolq", 0.8), ("0", "none", 0.0),
        ("20", "piqa", 0.45), ("20", "boolq", 0.8), ("20", "none", 0.0),
        ("40", "piqa", 0.5), ("40", "none", 0.0),
    ):  # fmt: skip
        run.cell(level, task, value)
    merged(run)
    return database


def test_a_level_keeps_the_mean_of_its_shares_and_each_may_be_asked(swept):
    (twenty,) = retained(swept, level="20")
    assert twenty.shares == pytest.approx({"PIQA": 0.9, "BoolQ": 1.0})
    assert (twenty.retained, twenty.left_out, twenty.missing) == (pytest.approx(0.95), ("none",), ())
    assert twenty.keeps(0.95 - 1e-9)
    assert not twenty.keeps(0.96)
    assert not twenty.keeps(0.95, each=True)
    assert list(twenty.below(0.95)) == ["PIQA"]


def test_it_is_what_level_scores_says(swept, ask):
    told = dict(ask("select pruning_pct, retained_pct from level_scores"))
    assert {one.pruning_pct: pytest.approx(100 * (one.retained or 0)) for one in retained(swept)} == told


def test_what_other_levels_have_and_this_one_lacks_was_not_kept(swept):
    (forty,) = retained(swept, level="40")
    assert forty.missing == ("BoolQ",)
    assert forty.retained == 1
    assert not forty.keeps(0.1)
    (forty,) = retained(swept, level="w60", tasks=["PIQA"])
    assert forty.keeps(1)


def test_where_nothing_can_be_compared_there_is_nothing_to_check(new_run, merged, database):
    run = new_run("r1")
    run.start()
    run.cell("20", "piqa", 0.5)
    merged(run)
    with pytest.raises(UserError, match="has no pruned level that can be compared: measure level 0"):
        retained(database)
