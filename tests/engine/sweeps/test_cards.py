"""Which GPUs a sweep is spread over, and that one is worked on by one run at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.runs import card_lock, runlock
from engine.runs.card_lock import card_held
from engine.sweeps import cards
from engine.sweeps.cards import Card, chosen_cards

CARDS = [Card(number, f"GPU-{number}aaa") for number in range(3)]


@pytest.fixture(autouse=True)
def _three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "host_cards", lambda: CARDS)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_all_or_those_that_are_named():
    assert chosen_cards("all") == CARDS
    assert chosen_cards("2, 0") == [CARDS[2], CARDS[0]]
    assert CARDS[2].environment["CUDA_VISIBLE_DEVICES"] == "2"


@pytest.mark.parametrize(("visible", "there"), [("1", [1]), ("2,0", [2, 0]), ("GPU-1a", [1]), ("GPU-2aaa, 1", [2, 1])])
def test_those_that_the_environment_leaves(monkeypatch: pytest.MonkeyPatch, visible: str, there: list[int]):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [card.number for card in chosen_cards("all")] == there


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3", "there is no GPU '3': give all, or numbers of 0, 1, 2"),
        ("x", "there is no GPU 'x'"),
        ("", "give all, or numbers"),
        ("1,1", "name each GPU once"),
    ],
)
def test_what_is_not_there_is_refused(text: str, said: str):
    with pytest.raises(UserError, match=said):
        chosen_cards(text)


def test_without_a_gpu_there_is_none_to_choose(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cards, "host_cards", list)
    with pytest.raises(UserError, match="There is no GPU here for --gpus"):
        chosen_cards("all")


class Tired(Exception):
    """Whoever waits has been asked to stop."""


def test_a_card_is_held_by_one_and_another_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(card_lock.cache, "folder", lambda name: tmp_path)
    monkeypatch.setattr(runlock, "_PATIENCE", 0.01)
    said: list[str] = []
    looks: list[int] = []

    def check() -> None:
        looks.append(1)
        if len(looks) == 4:
            raise Tired

    with card_held("one", said.append, lambda: None):
        with card_held("two", said.append, lambda: None):
            pass
        assert said == []
        with pytest.raises(Tired), card_held("one", said.append, check):
            pytest.fail("two at once")
    assert len(said) == 1
    assert "waits for its GPU, which process" in said[0]
    with card_held("one", said.append, lambda: None):
        pass
    assert len(said) == 1
