"""Sizes of models at any width, from their configs alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, PretrainedConfig, PreTrainedModel

from engine.pruning.accounting import ModelShape
from engine.pruning.checkpoint import prune
from warehouse.records.level import Level

FAMILIES = [
    "llama", "llama-biases", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "smollm3", "phi3",
    "gemma3-multimodal",
]  # fmt: skip
LLAMA_3_2: dict[str, dict[str, Any]] = {
    "1B": {"hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "head_dim": 64},
    "3B": {"hidden_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 24, "head_dim": 128},
}


def llama_3_2(size: str) -> ModelShape:
    config = LlamaConfig(
        vocab_size=128256, intermediate_size=8192, num_key_value_heads=8, tie_word_embeddings=True, **LLAMA_3_2[size]
    )
    return ModelShape.of(config)


@pytest.mark.parametrize(
    ("pct", "parameters"),
    [("0", 1_235_814_400), ("10", 1_155_303_424), ("40", 913_770_496), ("60", 752_650_240)],
)
def test_the_published_sizes_of_the_1b_model_follow(pct: str, parameters: int) -> None:
    shape = llama_3_2("1B")
    width = shape.width(Level.parse(pct))
    assert shape.parameters_at(width) == parameters
    assert shape.bytes_at(width, torch.bfloat16.itemsize) == 2 * parameters
    assert shape.bytes_at(width, torch.float32.itemsize) == 4 * parameters


def test_all_published_expansion_rates_follow(shared: Path) -> None:
    rows = json.loads((shared / "reference" / "expansion_rates.json").read_text())["models"]
    assert len(rows) == 15
    shapes = {size: llama_3_2(size) for size in LLAMA_3_2}
    for row in rows:
        shape = shapes["3B" if "3B" in row["base_model"] else "1B"]
        original, pruned, stats = row["original_architecture"], row["pruned_architecture"], row["optipfair_stats"]
        width = shape.width(Level("pct", row["pruning_pct"]))
        assert (shape.hidden_size, shape.intermediate_size, shape.num_hidden_layers, shape.parameters) == (
            original["hidden_size"],
            original["intermediate_size"],
            original["num_hidden_layers"],
            original["total_parameters"],
        )
        assert (width, shape.parameters_at(width)) == (pruned["intermediate_size"], pruned["total_parameters"])
        assert round(shape.expansion_ratio(width), 2) == pruned["expansion_rate"]
        assert 100 * shape.expansion_ratio(width) == pytest.approx(stats["expansion_rate"], rel=1e-12)
        assert shape.parameters - shape.parameters_at(width) == stats["reduction"]


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_are_those_of_the_built_and_pruned_model(
    make_config: Callable[[str], PretrainedConfig], make_model: Callable[..., PreTrainedModel], family: str
) -> None:
    shape, model = ModelShape.of(make_config(family)), make_model(family)
    assert shape.parameters == model.num_parameters()
    assert shape.tied_embeddings == ("lm_head.weight" not in dict(model.named_parameters()))
    prune(model, 53, method="maw", seed=0)
    assert shape.parameters_at(53) == model.num_parameters()
    assert shape.bytes_at(53, torch.float32.itemsize) == sum(p.numel() * p.itemsize for p in model.parameters())


def test_facts_for_the_journal() -> None:
    shape = llama_3_2("1B")
    model = shape.model_facts(
        model="Llama-3.2-1B", source="meta-llama/Llama-3.2-1B", revision="abc", weights_hash=None, config_hash="c",
        tokenizer_hash="t", dtype=torch.bfloat16,
    )  # fmt: skip
    assert (model.config_hash, model.tokenizer_hash, model.tuned) == ("c", "t", False)
    assert (model.parameters, model.bytes, model.tied_embeddings) == (1_235_814_400, 2_471_628_800, True)
    assert (model.num_attention_heads, model.num_key_value_heads, model.vocab_size) == (32, 8, 128256)
    variant = shape.variant_facts(Level.parse("10"), method="maw", divisor=None, pad_to=64, dtype=torch.bfloat16)
    assert (variant.level, variant.pruning_pct) == ("10", 10.0)
    assert (variant.intermediate_size, variant.padded_size) == (7373, 7424)
    assert (variant.parameters, variant.bytes) == (1_155_303_424, 2_310_606_848)
    assert variant.expansion_ratio == 7373 / 2048
