"""The last layer is finished for the tokens that are read only, and gives them what a whole pass gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
)

from engine.inference.tree.attention import DENSE, Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.last_layer import hidden_at
from engine.inference.tree.tree import Scored, pack
from engine.overrides.compiling import compile_layers
from engine.pruning.glu import find_glu_mlps

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
}
MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "gemma2": lambda: Gemma2ForCausalLM(
        Gemma2Config(**SIZES, head_dim=8, sliding_window=5, attn_logit_softcapping=2.0)
    ),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, head_dim=8, sliding_window=5)),
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(**SIZES, sliding_window=7)),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(1)
    return MODELS[request.param]().eval()


def rows(attention: Attention = DENSE) -> tuple[DeviceRow, torch.Tensor]:
    """A row, and every ninth token of it, one of them twice."""
    rng = np.random.default_rng(5)
    stem = rng.integers(3, 64, size=12)
    sequences = [np.concatenate((stem[: rng.integers(4, 13)], rng.integers(3, 64, 9))) for _ in range(20)]
    [row] = pack([Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(sequences)], 10**6)
    on_device = DeviceRow(row, torch.device("cpu"), attention)
    return on_device, torch.tensor([3, *range(3, on_device.length, 9)])


@torch.no_grad()
def test_tokens_that_are_read_get_what_a_whole_pass_gives(model: Any) -> None:
    row, nodes = rows()
    heard: list[int] = []
    row.listener = lambda layer, keys, values: heard.append(keys.shape[2])
    expected = hidden_at(model, row, nodes, least=10**6)
    mlps = [mlp.module for mlp in find_glu_mlps(model)]
    passed: list[tuple[int, int]] = []
    for layer, mlp in enumerate(mlps):
        mlp.register_forward_hook(
            lambda module, given, made, layer=layer: passed.append((layer, given[0].shape[1]))  # type: ignore[misc]
        )
    found = hidden_at(model, row, nodes, least=1)
    torch.testing.assert_close(found, expected)
    assert passed == [(0, row.length), (1, row.length), (2, len(nodes))]
    assert heard == [row.length] * 6, "every layer's keys and values are told whole, and once a pass"


@torch.no_grad()
def test_a_later_pass_finds_the_layer_as_it_was(model: Any) -> None:
    row, nodes = rows()
    tokens = torch.arange(3, 20)[None]
    expected = model(tokens).logits
    hidden_at(model, row, nodes, least=1)
    assert model.base_model.layers[-1]._compiled_call_impl is None
    torch.testing.assert_close(model(tokens).logits, expected)


@pytest.mark.slow
@torch.no_grad()
def test_paths_and_compiled_layers_go_on_with_these_tokens_too() -> None:
    torch.manual_seed(1)
    model = MODELS["llama"]().eval()
    by_paths = Attention(tiles=False, windows=frozenset({None}), by_paths=True)
    expected = hidden_at(model, *rows(), least=10**6)
    torch.testing.assert_close(hidden_at(model, *rows(by_paths), least=1), expected)
    compile_layers(model)
    for _ in range(2):
        torch.testing.assert_close(hidden_at(model, *rows(by_paths), least=1), expected)


@torch.no_grad()
def test_an_error_on_the_way_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = MODELS["llama"]().eval()
    row, nodes = rows()
    expected = hidden_at(model, row, nodes, least=1)
    last: Any = model.model.layers[-1]

    def fail(*args: Any) -> None:
        raise torch.OutOfMemoryError("out of memory")

    hook = last.mlp.register_forward_pre_hook(fail)
    with pytest.raises(torch.OutOfMemoryError):  # fails after attention
        hidden_at(model, row, nodes, least=1)
    hook.remove()
    with pytest.raises((IndexError, RuntimeError)):
        hidden_at(model, row, nodes + row.length, least=1)  # fails between attention and what follows
    torch.testing.assert_close(hidden_at(model, row, nodes, least=1), expected)
