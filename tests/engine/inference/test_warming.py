"""A first pass of each kind: it goes the ways that requests go, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.tree import last_layer
from engine.inference.tree.attention import DENSE
from engine.inference.tree.tree_scorer import TreeScorer
from engine.inference.warming import warm_up_decoding, warm_up_scoring

SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip


def model_of(vocab_size: int) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SIZES, vocab_size=vocab_size)).eval()


def test_rows_are_finished_as_a_whole_and_for_some_tokens_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    finished: list[int] = []
    finishing = last_layer._finishing

    def noted(layer: Any, row: Any, nodes: torch.Tensor) -> Any:
        finished.append(len(nodes))
        return finishing(layer, row, nodes)

    monkeypatch.setattr(last_layer, "_finishing", noted)
    model = model_of(300).bfloat16()
    scorer = TreeScorer(model, LMHead(model), 2**16, DENSE)
    scorer._pack._long_rows = True  # as FlexAttention has them
    passes: list[int] = []
    model.base_model.register_forward_pre_hook(lambda module, args: passes.append(args[0].shape[1]))
    warm_up_scoring(scorer, vocab_size=300, max_length=512)
    assert len(passes) == 2
    [nodes] = finished
    assert nodes >= last_layer.MANY


@pytest.mark.parametrize(("vocab_size", "max_length"), [(300, 512), (5, 16), (2, 4)])
def test_small_vocabularies_and_short_contexts_are_kept_to(vocab_size: int, max_length: int) -> None:
    model = model_of(vocab_size)
    positions: list[int] = []

    def noted(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        positions.append(int(kwargs["position_ids"].max()))

    scorer, generator = TreeScorer(model, LMHead(model), 512, DENSE), Generator(model, LMHead(model), DENSE)
    model.base_model.register_forward_pre_hook(noted, with_kwargs=True)
    warm_up_scoring(scorer, vocab_size=vocab_size, max_length=max_length)
    warm_up_decoding(generator, vocab_size=vocab_size, max_length=max_length, max_tokens=512)
    assert 0 < max(positions) < max_length
    assert not generator._known
