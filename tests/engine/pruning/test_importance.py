"""Importance scores are those of OptiPFair 0.4.2, and rankings do not depend on the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from method_package import write_package

from engine.errors import UserError
from engine.planning.methods import pruning_methods
from engine.pruning.importance import load_method, ranking
from engine.pruning.layer import Activations, MlpLayer

METHODS = [method.name for method in pruning_methods()]
GATE = torch.tensor([[1.0, -3.0, 2.0], [0.5, 0.5, 0.5]])
UP = torch.tensor([[4.0, 0.0, -1.0], [-2.0, -1.0, -3.0]])


def importance(method: str, gate: torch.Tensor, up: torch.Tensor, *, seed: int = 0, layer: int = 0) -> torch.Tensor:
    seen = seen_on(torch.randn(40, len(gate), generator=torch.Generator().manual_seed(1)))
    return load_method(method)(MlpLayer(index=layer, gate=gate, up=up, down=up.T, seed=seed, activations=seen))


def seen_on(neurons: torch.Tensor) -> Activations:
    """Of neurons' outputs, [tokens, intermediate_size]."""
    return Activations(tokens=len(neurons), total=neurons.sum(0), gram=neurons.T @ neurons)


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
    torch.testing.assert_close(importance(method, GATE, UP), torch.tensor(scores, dtype=torch.float32))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("method", ["maw", "vow", "pon", "l2"])
def test_scores_equal_optipfair_to_the_bit(method: str, dtype: torch.dtype) -> None:
    functions = pytest.importorskip("optipfair.pruning.mlp_glu").IMPORTANCE_FUNCTIONS
    gate, up = torch.randn(2, 300, 70, generator=torch.Generator().manual_seed(3)).to(dtype)
    ours = importance(method, gate, up)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, functions[method.upper()](gate.float(), up.float()))


@pytest.mark.parametrize("method", METHODS)
def test_each_method_scores_every_neuron_in_float32(method: str) -> None:
    gate, up = torch.randn(2, 12, 8, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0))
    scores = importance(method, gate, up)
    assert (scores.shape, scores.dtype) == ((12,), torch.float32)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match="no pruning method 'magic': choose one of maw"):
        load_method("magic")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("layer.gate", r"gave \(2, 3\) for a layer of 2 neurons: it has to give \(2,\)"),
        ("None", "gave NoneType"),
        ("layer.gate[:, 0] * float('nan')", "gave NaN for neurons of layer 0"),
    ],
)
def test_scores_that_give_no_order_are_refused(
    body: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brings_firsts", raising=False)
    write_package(tmp_path, f"TITLE = 't'\nFORMULA = 'f'\ndef scores(layer): return {body}")
    with pytest.raises(UserError, match=f"'firsts' of prune-firsts {why}"):
        importance("firsts", GATE, UP)


@pytest.mark.parametrize("source", ["import no_such_module", "raise ImportError('no GPU')", ""])
def test_a_method_whose_code_cannot_be_loaded_is_refused(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brings_firsts", raising=False)
    write_package(tmp_path, f"TITLE = 't'\nFORMULA = 'f'\n{source}")
    with pytest.raises(UserError, match="'firsts' of prune-firsts cannot be loaded"):
        load_method("firsts")


def test_random_scores_depend_on_seed_and_layer_only() -> None:
    weights = torch.zeros(50, 3)
    scores = importance("random", weights, weights, seed=7, layer=2)
    assert torch.equal(scores, importance("random", weights + 1, weights, seed=7, layer=2))
    assert not torch.equal(scores, importance("random", weights, weights, seed=8, layer=2))
    assert not torch.equal(scores, importance("random", weights, weights, seed=7, layer=3))
    assert scores[:8].tolist() == [29, 39, 46, 4, 26, 1, 21, 22]  # as in version 0.1
    assert len(scores.unique()) == 50


def test_ties_go_to_the_lower_index() -> None:
    assert ranking(torch.tensor([1.0, 5.0, 5.0, 0.0, 5.0, 1.0])).tolist() == [1, 2, 4, 0, 5, 3]
