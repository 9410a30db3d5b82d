"""The referee's page is the one that its generator writes, and has every method."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import referee_page
from benchmarks.referee import differs_by_seed, every_way
from benchmarks.referee_page import PAGE, ROWS, Draws, write_page
from engine.planning.methods import pruning_methods


def test_the_page_names_its_generator_and_every_method():
    page = PAGE.read_text(encoding="utf-8")
    assert "`python -m benchmarks.referee page`" in page[:200]
    assert not {one.name for one in pruning_methods() if one.package is None and f"`{one.name}`" not in page}


def test_a_model_was_measured_by_every_method_with_and_without_repair():
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    measured = {(row["method"], row["repair"]) for row in rows if row["model"] == "stories260K"}
    assert measured == {("unpruned", "none"), *every_way()}


def test_the_page_is_written_from_the_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(referee_page, "PAGE", tmp_path / "referee.md")
    write_page(ROWS, perplexity="token", score="acc")
    assert (tmp_path / "referee.md").read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_what_looks_at_no_drawn_text_is_measured_once():
    assert not differs_by_seed("maw", "none")
    assert differs_by_seed("maw", "lsq")
    assert differs_by_seed("wanda", "none")
    assert differs_by_seed("random", "none")


def test_an_interval_of_documents_that_agree_is_a_point():
    alike: list[list[list[float]]] = [[[2.0, 0.0, 4], [1.0, 0.0, 2]]] * 3
    draws = Draws(2)
    assert draws.divergence(alike) == "0.5000 (0.5000–0.5000)"
    assert draws.perplexity(alike, units=3) == "1 (1–1)"


def test_a_share_takes_the_same_documents_of_both():
    """Documents of 1 and 9 nats, of which the other method makes twice as many each: a half, whichever are drawn."""
    ours: list[list[list[float]]] = [[[1.0, 0.0, 4], [9.0, 0.0, 4]]] * 3
    theirs: list[list[list[float]]] = [[[2.0, 0.0, 4], [18.0, 0.0, 4]]]
    assert Draws(2).share(ours, theirs) == "0.50 (0.50–0.50)"


def test_perplexity_is_that_of_the_unit_that_is_asked_for():
    one: list[list[list[float]]] = [[[0.0, 6 * 0.6931471805599453, 6]]]
    assert Draws(1).perplexity(one, units=6).startswith("2 ")
    assert Draws(1).perplexity(one, units=3).startswith("4 ")


def row(method: str, **of_levels: Any) -> dict[str, Any]:
    return {"method": method, "repair": "none", **of_levels}


def test_accuracy_is_the_one_that_is_asked_for():
    scores = {"one acc": 0.25, "one acc_norm": 0.75, "two acc": 0.125}
    rows = [row("unpruned", **{"0": [scores]}), row("maw", **{"40": [scores]})]
    usual, normed = (referee_page.of_benchmarks(rows, score) for score in ("acc", "acc_norm"))
    assert "0.250" in usual
    assert "0.750" not in usual
    assert "0.750" in normed
    assert "0.250" not in normed
    assert "0.125" in normed
