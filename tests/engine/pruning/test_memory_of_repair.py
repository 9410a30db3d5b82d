"""Looking at neurons and repairing takes little beside weights, second moments and a pass; as much is foretold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import LlamaConfig, LlamaForCausalLM

from engine.evaluation.damage import Damage
from engine.planning.calibration_forecast import calibration_forecast
from engine.planning.memory import working_bytes
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.suites import TaskSpec
from engine.pruning import activations
from engine.pruning.calibration import Calibration
from engine.pruning.ladder import Ladder
from warehouse.records.level import parse_levels

TOKENS = 512  # of one pass
LAYERS, HIDDEN, WIDTH, VOCABULARY = 16, 32, 192, 64


class Peak(TorchDispatchMode):
    """Most bytes of tensors at a time that were made inside the block."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **kwargs or {})
        known = {
            one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)
        } - self._alive.keys()  # what was there before
        self._alive = {key: one for key, one in self._alive.items() if not one[0].expired()}
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor) and (key := tensor.untyped_storage()._cdata) not in known:
                self._alive[key] = (StorageWeakRef(tensor.untyped_storage()), tensor.untyped_storage().nbytes())
        self.bytes = max(self.bytes, sum(size for _, size in self._alive.values()))
        return made


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=HIDDEN, intermediate_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
        num_key_value_heads=2, vocab_size=VOCABULARY, initializer_range=0.4,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def text() -> Calibration:
    drawn = np.random.default_rng(1)
    return Calibration.of([drawn.integers(3, VOCABULARY, 128).tolist() for _ in range(8)], source="self", seed=0)


def peak(work: Callable[[], object]) -> int:
    with Peak() as seen:
        work()
    return seen.bytes


@pytest.mark.slow
def test_order_repair_and_levels_take_at_most_half_more_than_weights_moments_and_a_pass(
    model: LlamaForCausalLM, text: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activations, "CPU_TOKENS", TOKENS)
    weights = sum(parameter.nbytes for parameter in model.parameters())
    foretold = calibration_forecast(plan(), shape(weights // 4))
    assert foretold is not None
    moments = foretold.bytes
    one_pass = working_bytes(
        TOKENS, hidden_size=HIDDEN, intermediate_size=WIDTH, vocab_size=VOCABULARY, itemsize=4, fused=False
    )
    bare = peak(lambda: model.base_model(torch.from_numpy(text.tokens[:4].astype(np.int64)), use_cache=False))
    assert bare <= 1.5 * one_pass

    def every_level() -> None:
        ladder = Ladder(model, method="obs", seed=0, pad_to=1, repair="lsq", calibration=text)
        damage = Damage(model, text)
        for width in (WIDTH * 4 // 5, WIDTH * 3 // 5):
            ladder.set_width(width)
            damage.measure()

    taken = weights + peak(every_level)
    assert moments <= taken <= 1.5 * (weights + moments + one_pass)


def plan() -> RunPlan:
    return RunPlan(
        name="m", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa", 0),), repair="lsq"
    )  # fmt: skip


def shape(parameters: int) -> Shape:
    return Shape(
        model_type="llama", hidden_size=HIDDEN, intermediate_size=WIDTH, num_hidden_layers=LAYERS,
        vocab_size=VOCABULARY, parameters=parameters, parameters_per_neuron=3 * HIDDEN * LAYERS, fused=False,
        cache_per_token=0, dtype="float32", device="cpu",
    )  # fmt: skip
