"""The places that docs/extending.md names for a pruning method name the same methods."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from engine.errors import UserError
from engine.planning.plan import METHODS
from engine.pruning.importance import importance
from engine.pruning.model_card import _METHODS
from tui.cli.options import Method


def test_the_command_line_and_the_model_card_know_the_methods_that_plans_do():
    literal, _ = get_args(Method)
    assert get_args(literal) == METHODS
    assert tuple(_METHODS) == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_each_method_scores_every_neuron_in_float32(method: str):
    gate, up = torch.randn(2, 12, 8, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0))
    scores = importance(method, gate, up, seed=0, layer=0)
    assert (scores.shape, scores.dtype) == ((12,), torch.float32)


def test_a_method_that_there_is_not_is_refused_with_all_that_there_are():
    with pytest.raises(UserError) as error:
        importance("mow", torch.zeros(2, 2), torch.zeros(2, 2), seed=0, layer=0)
    assert all(method in str(error.value) for method in METHODS)
