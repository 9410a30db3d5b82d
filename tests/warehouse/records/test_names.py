"""Shorter names of models and runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from warehouse.records.names import public_name, runs_called, same_name, short_name


@dataclass(frozen=True)
class Run:
    run_id: str
    name: str


@pytest.mark.parametrize("model", ["org/Tiny-1B", "Tiny-1B", "/home/me/models/Tiny-1B/", "./Tiny-1B"])
def test_a_models_short_name_is_its_last_part(model: str) -> None:
    assert short_name(model) == "Tiny-1B"
    assert same_name(model, "other/tiny-1b")


def test_a_name_that_leaves_the_machine_has_no_folders_in_it() -> None:
    assert [public_name(model) for model in ("org/Tiny", "/home/me/Tiny", "~/Tiny")] == ["org/Tiny", "Tiny", "Tiny"]


def test_an_id_goes_before_a_name_and_a_name_before_the_beginning_of_an_id() -> None:
    runs = [Run("2026-a", "2026-b"), Run("2026-b", "first"), Run("2026-c", "2026")]
    assert runs_called("2026-b", runs) == [runs[1]]
    assert runs_called("2026", runs) == [runs[2]]
    assert runs_called("2026-", runs) == runs
    assert runs_called("", runs) == []
