"""Layers of Llama's kind are told from others, and give the same when each hands the next its norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GemmaConfig,
    GemmaForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRMSNorm

from engine.overrides import fused_residual_norm
from engine.overrides.fused_residual_norm import chain_layers, is_chain

SIZES: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "pad_token_id": 0,
}  # fmt: skip
CHAINS: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZES)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8)),
    "gemma": lambda: GemmaForCausalLM(GemmaConfig(**SIZES, head_dim=8)),
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(**SIZES)),
}
OTHERS: dict[str, Callable[[], Any]] = {
    "gemma2, with norms after": lambda: Gemma2ForCausalLM(Gemma2Config(**SIZES, head_dim=8)),
    "olmo2, with norms after only": lambda: Olmo2ForCausalLM(Olmo2Config(**SIZES)),
    "granite, which scales what it adds": lambda: GraniteForCausalLM(GraniteConfig(**SIZES, residual_multiplier=0.3)),
    "cohere, whose MLP does not see the attention": lambda: CohereForCausalLM(CohereConfig(**SIZES)),
    "a layer that clamps": lambda: with_a_layer(Clamping),
    "a layer that adds twice": lambda: with_a_layer(Doubling),
}


class Clamping(LlamaDecoderLayer):
    """As layers made for float16 do; small numbers do not show it."""

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return super().forward(*args, **kwargs).clamp(-30, 30)


class Doubling(LlamaDecoderLayer):
    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        return 2 * super().forward(*args, **kwargs)


def with_a_layer(kind: type[LlamaDecoderLayer]) -> Any:
    model = CHAINS["llama"]()
    model.model.layers[1].__class__ = kind
    return model


def with_noise(make: Callable[[], Any]) -> Any:
    """Norms that have learnt something."""
    torch.manual_seed(0)
    model = make().eval()
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data += 0.3 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS)
def test_chained_layers_give_the_same_and_each_norm_is_computed_once(make: Callable[[], Any]) -> None:
    model = with_noise(make)
    tokens = torch.arange(12)[None]
    alone: list[Tensor] = []
    with torch.no_grad():
        expected = model(tokens, use_cache=False).logits
        assert is_chain(model)
        computed = [layer.input_layernorm for layer in model.model.layers] + [model.model.norm]
        chain_layers(model, lambda function: function, {})
        for norm in (model.model.layers[0].input_layernorm, model.model.layers[1].input_layernorm, model.model.norm):
            norm._compute = lambda module, hidden: alone.append(hidden) or module(hidden)
        assert [norm.module for norm in (layer.input_layernorm for layer in model.model.layers)] == computed[:-1]
        torch.testing.assert_close(model(tokens, use_cache=False).logits, expected)
    assert len(alone) == 1, "only the first layer's norm does not come with its sum"


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_layers_that_do_otherwise_are_told_from_these(make: Callable[[], Any]) -> None:
    assert not is_chain(with_noise(make))


@torch.no_grad()
def test_a_norm_is_not_kept_once_it_was_used_and_not_taken_for_another_sum() -> None:
    model = with_noise(CHAINS["llama"])
    chain_layers(model, lambda function: function, {})
    hidden = torch.randn(1, 5, 32)
    [first, second, _] = model.model.layers
    positions = model.model.rotary_emb(hidden, torch.arange(5)[None])
    total = first(hidden, position_embeddings=positions)
    normed = getattr(total, fused_residual_norm._NORMED)
    torch.testing.assert_close(normed, second.input_layernorm.module(total))
    part = total[:, 2:]
    torch.testing.assert_close(second.input_layernorm(part), normed[:, 2:])
    assert second.input_layernorm(total) is normed
    assert not hasattr(total, fused_residual_norm._NORMED)


@torch.no_grad()
def test_an_mlp_may_give_pieces() -> None:
    model = with_noise(CHAINS["llama"])
    tokens = torch.arange(12)[None]
    expected = model(tokens, use_cache=False).logits
    usual = {id(layer.mlp): layer.mlp.forward for layer in model.model.layers}
    pieces = {
        key: lambda hidden, forward=forward: torch.stack((0.25 * forward(hidden), 0.75 * forward(hidden)))
        for key, forward in usual.items()
    }
    chain_layers(model, lambda function: function, pieces)
    torch.testing.assert_close(model(tokens, use_cache=False).logits, expected)


@pytest.mark.parametrize(
    ("kind", "expected"), [(LlamaRMSNorm, True), (GemmaRMSNorm, False), (torch.nn.LayerNorm, False)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_norm_is_llamas_or_another(kind: Callable[..., Any], expected: bool, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    norm = kind(64, eps=1e-6).to(dtype)
    norm.weight.data = torch.randn(64).to(dtype)
    assert fused_residual_norm._is_rms(norm, 1e-6) is expected
