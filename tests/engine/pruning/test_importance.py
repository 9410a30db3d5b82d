"""Importance scores are those of OptiPFair 0.4.2, and rankings do not depend on the machine."""

from __future__ import annotations

import pytest
import torch

from engine.errors import UserError
from engine.planning.plan import METHODS
from engine.pruning.importance import importance, random_scores, ranking

GATE = torch.tensor([[1.0, -3.0, 2.0], [0.5, 0.5, 0.5]])
UP = torch.tensor([[4.0, 0.0, -1.0], [-2.0, -1.0, -3.0]])


@pytest.mark.parametrize(
    ("method", "scores"),
    [
        ("maw", [(2 + 3) + (4 + 1), (0.5 + 0.5) + (-1 + 3)]),
        ("ppm", [10, 3]),
        ("vow", [7 + 7, 0 + 1]),
        ("pon", [6 * 5, 1.5 * 6]),
        ("l2", [14**0.5 + 17**0.5, 0.75**0.5 + 14**0.5]),
    ],
)
def test_scores_worked_out_by_hand(method: str, scores: list[float]) -> None:
    torch.testing.assert_close(importance(method, GATE, UP, seed=0, layer=0), torch.tensor(scores, dtype=torch.float32))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", ["maw", "vow", "pon", "l2"])
def test_scores_equal_optipfair_to_the_bit(method: str, dtype: torch.dtype) -> None:
    functions = pytest.importorskip("optipfair.pruning.mlp_glu").IMPORTANCE_FUNCTIONS
    gate, up = torch.randn(2, 300, 70, generator=torch.Generator().manual_seed(3)).to(dtype)
    ours = importance(method, gate, up, seed=0, layer=0)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, functions[method.upper()](gate.float(), up.float()))


def test_every_method_that_a_plan_may_name_exists() -> None:
    for method in METHODS:
        assert importance(method, GATE, UP, seed=0, layer=0).shape == (2,)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match="no pruning method 'magic': choose maw"):
        importance("magic", GATE, UP, seed=0, layer=0)


def test_random_scores_depend_on_seed_and_layer_only() -> None:
    scores = random_scores(50, seed=7, layer=2)
    assert torch.equal(scores, random_scores(50, seed=7, layer=2))
    assert not torch.equal(scores, random_scores(50, seed=8, layer=2))
    assert not torch.equal(scores, random_scores(50, seed=7, layer=3))
    assert len(scores.unique()) == 50


def test_ties_go_to_the_lower_index() -> None:
    assert ranking(torch.tensor([1.0, 5.0, 5.0, 0.0, 5.0, 1.0])).tolist() == [1, 2, 4, 0, 5, 3]
