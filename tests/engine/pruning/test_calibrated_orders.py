"""Orders that look at activations are those of the reference implementation, or of a few lines in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from transformers import PreTrainedModel

from engine.pruning.activations import activations
from engine.pruning.calibration import Calibration
from engine.pruning.glu import find_glu_mlps
from engine.pruning.importance import load_method, ranking
from engine.pruning.layer import DAMPING, Activations, MlpLayer
from engine.pruning.methods.obs import eliminate
from engine.pruning.repair import LeastSquares

NEURONS, TOKENS, HIDDEN = 64, 400, 16


@pytest.fixture(scope="module")
def h() -> torch.Tensor:
    """Neurons' outputs, correlated and on several scales: [tokens, neurons]."""
    generator = torch.Generator().manual_seed(0)
    causes = torch.randn(TOKENS, 24, generator=generator) @ torch.randn(24, NEURONS, generator=generator)
    return (causes + torch.randn(TOKENS, NEURONS, generator=generator) + 0.4) * torch.logspace(-1, 0.5, NEURONS)


@pytest.fixture(scope="module")
def layer(h: torch.Tensor) -> MlpLayer:
    generator = torch.Generator().manual_seed(1)
    gate, up = torch.randn(2, NEURONS, HIDDEN, generator=generator)
    down = torch.randn(HIDDEN, NEURONS, generator=generator)
    seen = Activations(tokens=TOKENS, total=h.sum(0), gram=h.T @ h)
    return MlpLayer(index=0, gate=gate, up=up, down=down, seed=0, activations=seen)


def test_maw_data_is_optipfairs_hybrid_score(layer: MlpLayer, h: torch.Tensor) -> None:
    theirs = pytest.importorskip("optipfair.pruning.mlp_glu").compute_neuron_pair_importance_maw_hybrid(
        layer.gate, layer.up, layer.down, h.norm(dim=0)
    )
    ours = load_method("maw-data")(layer)
    torch.testing.assert_close(ours, theirs)
    assert torch.equal(ranking(ours), ranking(theirs))


@pytest.mark.slow
def test_maw_data_keeps_the_neurons_that_optipfair_keeps_on_the_same_text(
    make_model: Callable[..., PreTrainedModel],
) -> None:
    optipfair = pytest.importorskip("optipfair.pruning.mlp_glu").prune_model_mlp_glu
    model = make_model("llama")
    tokens = torch.randint(3, 64, (8, 40), generator=torch.Generator().manual_seed(2))
    theirs = optipfair(
        copy.deepcopy(model), neuron_selection_method="MAW", pruning_percentage=40, dataloader=[{"input_ids": tokens}],
        show_progress=False,
    )  # fmt: skip
    text = Calibration.of(tokens.tolist(), source="self", seed=0)
    mlps = find_glu_mlps(model)
    for (mlp, seen), after in zip(activations(model, mlps, text), find_glu_mlps(theirs), strict=True):
        kept = ranking(load_method("maw-data")(mlp.layer_for(0, seen)))[:53].sort().values
        assert torch.equal(mlp.gate_and_up[0][kept], after.gate_and_up[0])


def test_wanda_is_the_norm_of_what_a_neuron_adds_to_the_output(layer: MlpLayer, h: torch.Tensor) -> None:
    added = [torch.outer(h[:, j].double(), layer.down[:, j].double()).norm() for j in range(NEURONS)]
    torch.testing.assert_close(load_method("wanda")(layer), torch.stack(added).float())


def test_flap_is_the_fluctuation_times_the_squared_norm(layer: MlpLayer, h: torch.Tensor) -> None:
    wanted = h.double().var(0) * layer.down.double().norm(dim=0) ** 2
    torch.testing.assert_close(load_method("flap")(layer), wanted.float(), rtol=1e-4, atol=1e-5)


def surgeon(layer: MlpLayer) -> list[int]:
    """Neurons in the order in which a greedy elimination takes them, each repair computed anew, in float64."""
    h, down = layer.seen.gram.double(), layer.down.double()
    h = h + DAMPING * h.diagonal().mean() * torch.eye(NEURONS, dtype=torch.float64)
    left, gone = list(range(NEURONS)), list[int]()
    while left:
        inverse = torch.linalg.inv(h[left][:, left])
        repaired = down @ h[:, left] @ inverse
        cost = repaired.square().sum(0) / inverse.diagonal()
        gone.append(left.pop(int(cost.argmin())))
    return gone


def test_obs_one_by_one_is_the_greedy_elimination(layer: MlpLayer) -> None:
    places = eliminate(layer, 1)
    assert places.argsort().tolist() == surgeon(layer)


def error(layer: MlpLayer, order: torch.Tensor, kept: int) -> float:
    """‖output − repaired output‖² of the first `kept` neurons of an order, damping counted."""
    h = layer.seen.gram.double()
    change = layer.down[:, order].double()
    change[:, :kept] -= LeastSquares(layer, order, torch.device("cpu")).weight(kept).double()
    h = (h + DAMPING * h.diagonal().mean() * torch.eye(NEURONS, dtype=torch.float64))[order][:, order]
    return float(((change @ h) * change).sum())


@pytest.mark.parametrize("block", [1, 4])
def test_blocks_lose_next_to_nothing_and_other_orders_lose_more(layer: MlpLayer, block: int) -> None:
    exact = torch.tensor(surgeon(layer)).flip(0)
    order = ranking(eliminate(layer, block))
    for kept in (16, 32, 48):
        assert error(layer, order, kept) <= 1.1 * error(layer, exact, kept)
        assert error(layer, order, kept) < error(layer, ranking(load_method("maw-data")(layer)), kept)


def test_obs_gives_each_neuron_a_place_of_its_own_dead_ones_the_first(h: torch.Tensor, layer: MlpLayer) -> None:
    still = h.clone()
    still[:, [5, 9]] = 0
    down = layer.down.clone()
    down[:, [5, 9]] = 0
    seen = Activations(tokens=TOKENS, total=still.sum(0), gram=still.T @ still)
    places = load_method("obs")(MlpLayer(index=0, gate=layer.gate, up=layer.up, down=down, seed=0, activations=seen))
    assert sorted(places.tolist()) == list(range(NEURONS))
    assert (places[9], places[5]) == (0, 1)  # of equals the first is kept longer


def test_a_method_that_looks_at_activations_says_so_where_there_are_none(layer: MlpLayer) -> None:
    bare = MlpLayer(index=3, gate=layer.gate, up=layer.up, down=layer.down, seed=0)
    with pytest.raises(ValueError, match="layer 3 was given without activations"):
        load_method("wanda")(bare)
