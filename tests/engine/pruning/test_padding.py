"""Zero neurons fill a width up: what the model computes stays the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.pruning.checkpoint import save_level
from engine.pruning.glu import find_glu_mlps
from engine.pruning.padding import add_zero_neurons, padded_width
from warehouse.checkpoints import read_record
from warehouse.records.level import Level

MakeModel = Callable[..., PreTrainedModel]
FAMILIES = ["llama", "llama-biases", "qwen2", "gemma2", "gemma3", "phi3", "gemma3-multimodal"]


@pytest.mark.parametrize(
    ("size", "multiple", "padded"), [(53, 32, 64), (64, 32, 64), (1, 256, 256), (7373, 256, 7424), (7, 1, 7)]
)
def test_a_width_is_rounded_up(size: int, multiple: int, padded: int) -> None:
    assert padded_width(size, multiple) == padded


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wider_model_computes_the_same(make_model: MakeModel, prompt: torch.Tensor, family: str) -> None:
    model = make_model(family)
    with torch.no_grad():
        before = model(prompt).logits
        add_zero_neurons(model, 96)
        after = model(prompt).logits
    assert {mlp.intermediate_size for mlp in find_glu_mlps(model)} == {96}
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)


def test_the_width_may_not_shrink(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="width 88 is more than 64"):
        add_zero_neurons(make_model("llama"), 64)


@pytest.mark.parametrize("family", ["llama-biases", "phi3", "gemma3-multimodal"])
def test_config_record_and_card_say_both_widths(
    make_model: MakeModel, save_checkpoint: Callable[..., Path], tmp_path: Path, prompt: torch.Tensor, family: str
) -> None:
    source = str(save_checkpoint(make_model(family)))
    exact = save_level(source, level=Level.parse("40"), method="maw", to=tmp_path / "exact")
    padded = save_level(source, level=Level.parse("40"), method="maw", to=tmp_path / "padded", pad_to=32)
    assert (exact.intermediate_size, exact.stored_size) == (53, 53)
    assert (padded.intermediate_size, padded.stored_size) == (53, 64)
    config = json.loads((padded.path / "config.json").read_text())
    text = config.get("text_config", config)
    assert (text["intermediate_size"], text["exact_intermediate_size"]) == (64, 53)
    record = read_record(padded.path)
    assert record is not None
    stored = sum(tensor.numel() for tensor in load_file(padded.path / "model.safetensors").values())
    assert (record.intermediate_size, record.stored_size, record.stored_parameters) == (53, 64, stored)
    assert record.parameters == exact.parameters
    card = ModelCard.load(padded.path / "README.md").text
    assert "| stored width | 88 | 64 |" in card
    assert "11 neurons of zeros were added in each layer" in card
    both: list[Any] = [AutoModelForCausalLM.from_pretrained(saved.path) for saved in (exact, padded)]
    with torch.no_grad():
        torch.testing.assert_close(both[1](prompt).logits, both[0](prompt).logits, rtol=1e-5, atol=1e-5)


def test_a_width_that_fits_stays(make_model: MakeModel, save_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    source = str(save_checkpoint(make_model("llama")))
    saved = save_level(source, level=Level.parse("w64"), method="maw", to=tmp_path / "out", pad_to=32)
    record = read_record(tmp_path / "out")
    assert record is not None
    assert (saved.stored_size, record.stored_size, record.stored_parameters) == (64, None, None)
    assert "stored width" not in (tmp_path / "out" / "README.md").read_text()
