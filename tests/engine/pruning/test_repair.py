"""The repair is least squares onto the unpruned layer's output, at every width from one factorisation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.errors import UserError
from engine.pruning import ordering
from engine.pruning.activations import activations
from engine.pruning.calibration import Calibration
from engine.pruning.checkpoint import save_level
from engine.pruning.factor import cholesky
from engine.pruning.glu import find_glu_mlps
from engine.pruning.ladder import Ladder
from engine.pruning.layer import DAMPING, Activations, MlpLayer
from engine.pruning.repair import LeastSquares
from warehouse.records.level import Level

MakeModel = Callable[..., PreTrainedModel]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    drawn = np.random.default_rng(0)
    lengths = [40] * 12 + [17, 30]
    return Calibration.of([drawn.integers(3, 64, n).tolist() for n in lengths], source="self", seed=0)


def correlated(tokens: int, neurons: int, seed: int = 0) -> torch.Tensor:
    """Neurons that do much the same, on very different scales, around means that are not zero: [tokens, neurons]."""
    generator = torch.Generator().manual_seed(seed)
    causes = torch.randn(tokens, neurons // 4, generator=generator)
    own = torch.randn(tokens, neurons, generator=generator)
    mixed = causes @ torch.randn(neurons // 4, neurons, generator=generator) + 0.3 * own + 0.5
    return mixed * torch.logspace(-2, 1, neurons)[torch.randperm(neurons, generator=generator)]


def layer_of(neurons: torch.Tensor, *, bias: bool = False) -> MlpLayer:
    down = torch.randn(20, neurons.shape[1], generator=torch.Generator().manual_seed(7))
    seen = Activations(tokens=len(neurons), total=neurons.sum(0), gram=neurons.T @ neurons)
    return MlpLayer(
        index=0, gate=down.T, up=down.T, down=down, seed=0, down_bias=down[:, 0].clone() if bias else None,
        activations=seen,
    )  # fmt: skip


def ridge(layer: MlpLayer, kept: torch.Tensor) -> torch.Tensor:
    """W of ‖D h − W h_K‖² + λ‖D − W‖² over all tokens, in float64 by lstsq on the square root of H."""
    seen, down = layer.seen, layer.down.double()
    moments = seen.gram.double()
    if layer.down_bias is not None:
        moments = moments - torch.outer(seen.total.double(), seen.total.double()) / seen.tokens
    moments = moments + DAMPING * moments.diagonal().mean() * torch.eye(len(moments), dtype=torch.float64)
    root = torch.linalg.cholesky(moments).T
    return torch.linalg.lstsq(root[:, kept], root @ down.T).solution.T


@pytest.mark.parametrize("bias", [False, True])
def test_every_width_is_float64_least_squares_to_a_thousandth(bias: bool) -> None:
    layer = layer_of(correlated(600, 96), bias=bias)
    order = torch.randperm(96, generator=torch.Generator().manual_seed(1))
    repair = LeastSquares(layer, order, CPU)
    for kept in (1, 20, 48, 77, 95):
        ours, exact = repair.weight(kept), ridge(layer, order[:kept])
        assert float((ours - exact).norm() / exact.norm()) < 1e-3


def test_with_a_bias_the_intercept_is_fitted_as_well() -> None:
    neurons = correlated(600, 96)
    layer = layer_of(neurons, bias=True)
    assert layer.down_bias is not None
    order = torch.arange(96)
    repair = LeastSquares(layer, order, CPU)
    weight = repair.weight(40)
    bias = repair.bias_beside(weight)
    assert bias is not None
    wanted = neurons @ layer.down.T + layer.down_bias
    torch.testing.assert_close((neurons[:, :40] @ weight.T + bias).mean(0), wanted.mean(0), rtol=1e-3, atol=1e-2)


def test_what_stays_comes_closer_to_the_output_than_it_was() -> None:
    neurons = correlated(600, 96)
    layer = layer_of(neurons)
    weight = LeastSquares(layer, torch.arange(96), CPU).weight(60)
    wanted = neurons @ layer.down.T
    left = [float((wanted - neurons[:, :60] @ columns.T).norm()) for columns in (weight, layer.down[:, :60])]
    assert left[0] < 0.5 * left[1]


def test_neurons_that_never_did_anything_are_no_obstacle() -> None:
    neurons = correlated(200, 48)
    neurons[:, ::3] = 0
    weight = LeastSquares(layer_of(neurons), torch.arange(48), CPU).weight(30)
    assert weight.isfinite().all()


def test_a_layer_that_is_silent_is_refused_by_its_number() -> None:
    with pytest.raises(UserError, match="neurons of layer 0 are silent on the calibration text"):
        LeastSquares(layer_of(torch.zeros(50, 12)), torch.arange(12), CPU)


def test_a_matrix_that_rounding_spoilt_is_damped_until_it_has_a_factor() -> None:
    spoilt = torch.eye(8)
    spoilt[0, 0] = -0.05
    factor = cholesky(spoilt)
    assert torch.allclose(factor @ factor.T, spoilt, atol=1e-6)
    assert float(spoilt[1, 1]) > 1
    with pytest.raises(UserError, match="cannot be factorised"):
        cholesky(torch.full((4, 4), float("nan")))


FAMILIES = ["llama", "llama-biases", "phi3", "gemma3"]
SAVED = [
    pytest.param(family, method, marks=() if (family, method) == ("phi3", "obs") else pytest.mark.slow)
    for family in FAMILIES
    for method in ("maw", "obs")
]


@pytest.mark.parametrize("family", FAMILIES)
def test_level_0_is_the_unpruned_model_whatever_was_set_before(
    make_model: MakeModel, calibration: Calibration, prompt: torch.Tensor, family: str
) -> None:
    model = make_model(family)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    logits = model(prompt).logits
    ladder = Ladder(model, method="obs", seed=0, pad_to=16, repair="lsq", calibration=calibration)
    for width in (88, 53, 88):
        ladder.set_width(width)
    torch.testing.assert_close(model(prompt).logits, logits, rtol=1e-4, atol=1e-5)
    for name, tensor in model.state_dict().items():
        if name in before and "mlp" not in name:
            assert torch.equal(tensor, before[name])
        elif name.endswith("down_proj.weight"):
            order = ladder._rankings[int(name.split(".layers.")[1].split(".")[0])]
            assert torch.equal(tensor, before[name][:, order])


@pytest.mark.parametrize(("family", "method"), SAVED)
def test_a_saved_level_computes_what_the_ladder_does(
    make_model: MakeModel, calibration: Calibration, save_checkpoint: Callable[..., Path], tmp_path: Path,
    prompt: torch.Tensor, family: str, method: str,
) -> None:  # fmt: skip
    model = make_model(family)
    source = save_checkpoint(model)
    saved = save_level(
        str(source), level=Level.parse("40"), method=method, to=tmp_path / "to", repair="lsq",
        calibrate=lambda model, tokenizer: calibration, device="cpu",
    )  # fmt: skip
    loaded: Any = AutoModelForCausalLM.from_pretrained(saved.path)
    ladder = Ladder(model, method=method, seed=0, pad_to=16, repair="lsq", calibration=calibration)
    for width in (70, 53):
        ladder.set_width(width)
    assert find_glu_mlps(loaded)[0].intermediate_size == 53
    torch.testing.assert_close(loaded(prompt).logits, model(prompt).logits, rtol=1e-5, atol=1e-5)
    card = (saved.path / "README.md").read_text()
    assert "fitted by least squares" in card
    assert f"on {calibration.count:,} tokens of text that the unpruned model wrote itself (seed 0)" in card


def test_flap_moves_what_removed_neurons_did_on_average_into_the_bias(
    make_model: MakeModel, calibration: Calibration
) -> None:
    model = make_model("llama-biases")
    [mlp, *_] = find_glu_mlps(model)
    [(_, seen), *_] = activations(model, [mlp], calibration)
    down, bias = mlp.down.weight.clone(), mlp.down.bias.clone()
    ladder = Ladder(model, method="flap", seed=0, pad_to=1, calibration=calibration)
    ladder.set_width(53)
    gone = ladder._rankings[0][53:]
    torch.testing.assert_close(mlp.down.bias.data, bias + down[:, gone] @ seen.means[gone])
    assert torch.equal(mlp.down.weight.data, down[:, ladder._rankings[0][:53]])
    ladder.set_width(88)
    assert torch.equal(mlp.down.bias.data, bias)


def test_layers_in_groups_are_settled_as_they_are_together(
    make_model: MakeModel, calibration: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [make_model("phi3"), make_model("phi3")]
    Ladder(models[0], method="obs", seed=0, repair="lsq", calibration=calibration).set_width(53)
    monkeypatch.setattr("engine.pruning.activations.layers_at_once", lambda model, mlps: 1)
    Ladder(models[1], method="obs", seed=0, repair="lsq", calibration=calibration).set_width(53)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_without_a_text_a_calibrated_ladder_is_a_defect_of_the_caller(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="needs calibration text"):
        Ladder(make_model("llama"), method="maw", seed=0, repair="lsq")


def test_factors_wait_where_there_is_room(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    mlps = find_glu_mlps(make_model("llama"))
    far = torch.device("meta")
    monkeypatch.setattr(ordering, "free_memory", lambda device: 16 * 3 * 88**2)
    assert ordering._place(far, mlps) == far
    monkeypatch.setattr(ordering, "free_memory", lambda device: 16 * 3 * 88**2 - 1)
    assert ordering._place(far, mlps) == CPU


def test_the_plain_way_needs_no_text_and_changes_nothing(make_model: MakeModel, calibration: Calibration) -> None:
    models = [make_model("llama"), make_model("llama")]
    Ladder(models[0], method="maw", seed=0).set_width(53)
    Ladder(models[1], method="maw", seed=0, repair="none", calibration=calibration).set_width(53)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_text_itself_is_left_as_it_is(make_model: MakeModel, calibration: Calibration) -> None:
    before = copy.deepcopy(calibration.tokens)
    Ladder(make_model("llama"), method="obs", seed=0, repair="lsq", calibration=calibration)
    assert np.array_equal(calibration.tokens, before)
