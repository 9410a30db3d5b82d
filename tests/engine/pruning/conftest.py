"""Tiny random models of every family that can be pruned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

WIDTH = 88
_SIZES = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": WIDTH, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
_FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"tie_word_embeddings": True}),
    "llama-biases": ("llama", {"mlp_bias": True, "attention_bias": True}),
    "mistral": ("mistral", {}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"tie_word_embeddings": True}),
    "gemma": ("gemma", {}),
    "gemma2": ("gemma2", {}),
    "gemma3": ("gemma3_text", {}),
    "smollm3": ("smollm3", {}),
    "phi3": ("phi3", {"rope_scaling": None, "original_max_position_embeddings": 64}),
}
_VISION = {
    "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip


def tiny_config(family: str) -> PretrainedConfig:
    if family == "gemma3-multimodal":
        return AutoConfig.for_model("gemma3", text_config=dict(_SIZES), vision_config=_VISION, mm_tokens_per_image=4)
    model_type, changes = _FAMILIES[family]
    return AutoConfig.for_model(model_type, **_SIZES | changes)


def tiny_model(family: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> PreTrainedModel:
    """Every weight and bias drawn from a normal distribution."""
    model = AutoModelForCausalLM.from_config(tiny_config(family))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model.to(dtype).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def make_config() -> Callable[..., PretrainedConfig]:
    return tiny_config


@pytest.fixture(scope="session")
def make_model() -> Callable[..., PreTrainedModel]:
    return tiny_model


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {
        token: index for index, token in enumerate(("<pad>", "<s>", "</s>", "<unk>", *map(chr, range(65, 91))))
    }
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )
    fast.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return fast


@pytest.fixture
def save_checkpoint(tmp_path: Path, tokenizer: PreTrainedTokenizerFast) -> Callable[..., Path]:
    """Writes a model as a checkpoint that transformers would load, tokenizer included."""

    def save(model: PreTrainedModel, name: str = "model") -> Path:
        folder = tmp_path / name
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def prompt() -> torch.Tensor:
    return torch.randint(3, 64, (2, 17), generator=torch.Generator().manual_seed(1))
