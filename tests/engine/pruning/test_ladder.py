"""Every width is a prefix of one set of sorted weights: the same function as a model cut to that width."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from cases import one_in
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedModel

from engine.pruning.checkpoint import prune
from engine.pruning.ladder import Ladder, padded_size
from warehouse.records.level import Level

FAMILIES = [
    "llama", "llama-biases", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "smollm3", "phi3",
    "gemma3-multimodal",
]  # fmt: skip
WIDTHS = [88, 80, 71, 62, 53, 44, 36, 1]
MakeModel = Callable[..., PreTrainedModel]


def logits(model: PreTrainedModel, prompt: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(prompt).logits


def neuron_tensors(model: PreTrainedModel) -> list[torch.Tensor]:
    return [parameter.clone() for name, parameter in model.named_parameters() if ".mlp." in name]


@pytest.mark.parametrize(("kept", "padded"), [(1, 64), (64, 64), (65, 128), (7373, 7424), (8150, 8192), (8192, 8192)])
def test_widths_are_padded_to_a_fast_one(kept: int, padded: int) -> None:
    assert padded_size(kept, 8192, 64) == padded


def test_padding_never_exceeds_the_full_width() -> None:
    assert padded_size(170, 172, 64) == 172


@pytest.mark.parametrize("pad_to", [1, 16])
@pytest.mark.parametrize("family", one_in(3, FAMILIES))
def test_logits_equal_those_of_the_exact_width_model(
    make_model: MakeModel, prompt: torch.Tensor, family: str, pad_to: int
) -> None:
    model = make_model(family)
    ladder = Ladder(model, method="maw", seed=0, pad_to=pad_to)
    for width in WIDTHS:
        exact = make_model(family)
        prune(exact, width, method="maw", seed=0)
        assert ladder.set_width(width) == padded_size(width, 88, pad_to)
        assert {mlp.down_proj.in_features for mlp in _mlps(model)} == {ladder.padded_size}
        torch.testing.assert_close(logits(model, prompt), logits(exact, prompt), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("family", ["llama", "phi3"])
@pytest.mark.parametrize("method", ["maw", "vow", "pon", "l2", "random"])
def test_every_method_keeps_the_same_neurons_as_the_saved_model(
    make_model: MakeModel, prompt: torch.Tensor, family: str, method: str
) -> None:
    model, exact = make_model(family), make_model(family)
    Ladder(model, method=method, seed=5, pad_to=16).set_width(53)
    prune(exact, 53, method=method, seed=5)
    torch.testing.assert_close(logits(model, prompt), logits(exact, prompt), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", ["llama-biases", "phi3"])
def test_widths_may_be_visited_in_any_order(make_model: MakeModel, family: str, dtype: torch.dtype) -> None:
    model = make_model(family, dtype)
    ladder = Ladder(model, method="maw", seed=0, pad_to=16)
    first = {}
    for width in WIDTHS:
        ladder.set_width(width)
        first[width] = neuron_tensors(model)
    order = random.Random(0)
    for width in order.choices(WIDTHS, k=40):
        ladder.set_width(width)
        assert all(torch.equal(a, b) for a, b in zip(neuron_tensors(model), first[width], strict=True))


def test_neurons_beyond_the_width_are_zero(make_model: MakeModel) -> None:
    model = make_model("llama-biases")
    Ladder(model, method="maw", seed=0, pad_to=16).set_width(53)
    for mlp in _mlps(model):
        assert mlp.gate_proj.weight.shape == (64, 32)
        for tensor in (mlp.gate_proj.weight, mlp.up_proj.weight, mlp.gate_proj.bias, mlp.up_proj.bias):
            assert tensor[52].count_nonzero() > 0
            assert tensor[53:].count_nonzero() == 0
        assert mlp.down_proj.weight[:, 52].count_nonzero() > 0
        assert mlp.down_proj.weight[:, 53:].count_nonzero() == 0
        assert mlp.down_proj.bias.count_nonzero() > 0


def test_the_kept_neurons_are_named_by_their_original_index(make_model: MakeModel) -> None:
    model = make_model("llama")
    original = copy.deepcopy(model)
    ladder = Ladder(model, method="maw", seed=0)
    for layer, (before, after) in enumerate(zip(_mlps(original), _mlps(model), strict=True)):
        kept = ladder.kept(layer, 53)
        assert kept.tolist() == sorted(set(kept.tolist()))
        rows = {tuple(row) for row in after.gate_proj.weight[:53].tolist()}
        assert rows == {tuple(row) for row in before.gate_proj.weight[kept].tolist()}


def test_ties_go_to_the_lower_index(make_model: MakeModel) -> None:
    model = make_model("llama")
    for mlp in _mlps(model):
        mlp.gate_proj.weight.fill_(1.0)
        mlp.up_proj.weight.fill_(1.0)
        mlp.up_proj.weight[[10, 70]] = 2.0
    ladder = Ladder(model, method="maw", seed=0)
    assert ladder.kept(1, 5).tolist() == [0, 1, 2, 10, 70]


@pytest.mark.parametrize("width", [0, 89])
def test_a_width_the_model_does_not_have_is_a_defect_of_the_caller(make_model: MakeModel, width: int) -> None:
    with pytest.raises(ValueError, match="outside 1–88"):
        Ladder(make_model("llama"), method="maw", seed=0).set_width(width)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_width_copies_the_weights(make_model: MakeModel, family: str) -> None:
    model = make_model(family)
    before = _storages(model)
    ladder = Ladder(model, method="maw", seed=0, pad_to=16)
    for width in WIDTHS:
        ladder.set_width(width)
        assert _storages(model) == before


@pytest.mark.slow
def test_peak_memory_of_a_sweep_stays_near_the_weights() -> None:
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("measures peak memory as Linux reports it")

    def memory(field: str) -> int:
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith(field))

    config = LlamaConfig(
        vocab_size=256, hidden_size=512, intermediate_size=3000, num_hidden_layers=24, num_attention_heads=8,
        num_key_value_heads=8, dtype=torch.bfloat16,
    )  # fmt: skip
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    model = model.to_empty(device="cpu").eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter.fill_(0.01)
        parameter.view(-1)[: min(parameter.numel(), 10_000)].normal_()
    weights = sum(parameter.numel() * parameter.itemsize for parameter in model.parameters())
    prompt = torch.arange(64)[None]
    logits(model, prompt)
    before = memory("VmRSS")
    reset.write_text("5")
    ladder = Ladder(model, method="l2", seed=0)
    for pct in (0, 10, 40, 20, 60):
        ladder.set_width(Level("pct", pct).intermediate_size(3000, 512))
        logits(model, prompt)
    assert memory("VmHWM") - before < 0.2 * weights


def _mlps(model: PreTrainedModel) -> list:
    return [module for name, module in model.named_modules() if name.endswith(".mlp") and hasattr(module, "down_proj")]


def _storages(model: PreTrainedModel) -> dict[int, int]:
    storages = [parameter.untyped_storage() for parameter in model.parameters()]
    return {storage.data_ptr(): storage.nbytes() for storage in storages}
