"""Compiled layers score and generate as the others do, at every width and without compiling for each."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaMLP

from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.tree.attention import DENSE
from engine.inference.tree.tree import Scored
from engine.inference.tree.tree_scorer import Batch, TreeScorer
from engine.overrides import split_k
from engine.overrides.compiling import _join_projections, compile_layers
from engine.pruning.ladder import Ladder

WIDTHS = (96, 64, 40)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_widths_share_what_was_compiled_and_nothing_changes() -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64, hidden_size=32, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        )
    ).eval()  # fmt: skip
    ladder = Ladder(model, method="maw", seed=0, pad_to=8)
    plain = {width: answers(model, ladder, width) for width in WIDTHS}
    ladder.set_width(WIDTHS[0])
    counters.clear()
    compile_layers(model)
    compiled = 0
    for width in WIDTHS:
        scores, texts = answers(model, ladder, width)
        np.testing.assert_allclose(scores, plain[width][0], rtol=1e-5)
        assert texts == plain[width][1]
        if width == WIDTHS[0]:
            compiled = counters["stats"]["unique_graphs"]
    assert 0 < compiled == counters["stats"]["unique_graphs"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_products_of_few_rows_are_cut_up_and_joined_at_every_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU in 16 bits, with the neurons sorted after the weights came to lie together."""
    batched: list[torch.Size] = []
    usual = torch.bmm

    def bmm(left: torch.Tensor, right: torch.Tensor, out_dtype: torch.dtype | None = None) -> torch.Tensor:
        batched.append(left.shape)
        return usual(left, right)

    def a_model() -> Any:
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=64, hidden_size=32, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        )  # fmt: skip
        return LlamaForCausalLM(config).eval()

    model = a_model()
    ladder = Ladder(model, method="maw", seed=0, pad_to=32)
    plain = {width: answers(model, ladder, width) for width in WIDTHS}
    monkeypatch.setattr(split_k, "_is_worth_it", lambda rows: len(rows) <= 6)
    monkeypatch.setattr(torch, "bmm", bmm)
    model = a_model()
    compile_layers(model)
    ladder = Ladder(model, method="maw", seed=0, pad_to=32)
    for width in WIDTHS:
        batched.clear()
        scores, texts = answers(model, ladder, width)
        np.testing.assert_allclose(scores, plain[width][0], rtol=1e-5)
        assert texts == plain[width][1]
        assert {(2, 6, 32), (4, 6, ladder.padded_size // 4)} <= set(batched)


class Clamped(LlamaMLP):
    """As some models do it; small numbers do not show it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.act_fn(self.gate_proj(x).clamp(max=7.0)) * self.up_proj(x).clamp(-7.0, 7.0))


class Scaled(LlamaMLP):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.parametrize("kind", [Clamped, Scaled])
@pytest.mark.parametrize("layers", [(0, 1), (1,)], ids=["all layers", "the last layer"])
def test_an_mlp_that_does_more_keeps_doing_it(kind: type[LlamaMLP], layers: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4
    )  # fmt: skip
    model: Any = LlamaForCausalLM(config).eval()
    for layer in layers:
        mlp = kind(config)
        mlp.load_state_dict(model.model.layers[layer].mlp.state_dict())
        model.model.layers[layer].mlp = mlp
    hidden = 100 * torch.randn(1, 5, 32)
    with torch.no_grad():
        plain = [layer.mlp(hidden) for layer in model.model.layers]
        compile_layers(model)
        for layer, expected in zip(model.model.layers, plain, strict=True):
            torch.testing.assert_close(layer.mlp(hidden), expected)


def answers(model: Any, ladder: Ladder, width: int) -> tuple[list[float], list[list[int]]]:
    ladder.set_width(width)
    rng = np.random.default_rng(0)
    prompts = [rng.integers(3, 64, size=rng.integers(3, 40)) for _ in range(20)]
    batch = Batch([Scored(tokens, ((at, rng.integers(3, 64, 2)),)) for at, tokens in enumerate(prompts)], [1] * 20)
    scores = TreeScorer(model, LMHead(model), 256, DENSE).score(batch, lambda *done: None)
    texts = Generator(model, LMHead(model), DENSE).generate(
        prompts[:6], max_new_tokens=9, end_of=lambda tokens, start: None, max_tokens=256,
        progress=lambda *done: None,
    )  # fmt: skip
    return [log_likelihood for log_likelihood, _ in scores], texts


class TakesTurns(LlamaAttention):
    """Asks its projections in another order."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.v_proj(args[0] if args else kwargs["hidden_states"])
        return super().forward(*args, **kwargs)


@pytest.mark.parametrize("bias", [False, True])
def test_projections_of_the_same_input_become_one_product(bias: bool) -> None:
    model = small_llama(attention_bias=bias)
    tokens = torch.arange(12)[None]
    with torch.no_grad():
        expected = model.model(tokens).last_hidden_state
        own = [parameter.clone() for parameter in model.model.layers[0].self_attn.parameters()]
        _join_projections(model)
        products: list[torch.Size] = []
        for layer in model.model.layers:
            for name in ("q_proj", "k_proj", "v_proj"):
                part = getattr(layer.self_attn, name)
                part.register_forward_hook(lambda module, given, made: products.append(made.shape))
        torch.testing.assert_close(model.model(tokens).last_hidden_state, expected)
    assert products == [(1, 12, 32), (1, 12, 16), (1, 12, 16)] * 2
    attention = model.model.layers[0].self_attn
    for parameter, before in zip(attention.parameters(), own, strict=True):
        torch.testing.assert_close(parameter, before)
    storages = {getattr(attention, name).weight.untyped_storage().data_ptr() for name in ("q_proj", "k_proj", "v_proj")}
    assert len(storages) == 1, "no weight is held twice"


def test_projections_that_are_asked_otherwise_stay_apart() -> None:
    model = small_llama()
    model.model.layers[1].self_attn.__class__ = TakesTurns
    with torch.no_grad():
        expected = model.model(torch.arange(12)[None]).last_hidden_state
        _join_projections(model)
        torch.testing.assert_close(model.model(torch.arange(12)[None]).last_hidden_state, expected)
    first, second = (layer.self_attn for layer in model.model.layers)
    assert first.q_proj.weight.untyped_storage().data_ptr() == first.v_proj.weight.untyped_storage().data_ptr()
    assert second.q_proj.weight.untyped_storage().data_ptr() != second.v_proj.weight.untyped_storage().data_ptr()


def small_llama(**options: Any) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, **options,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()
