"""Inference takes its overrides from one place: swapped for their references, nothing changes; without any, it runs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.tree.attention import DENSE, Attention
from engine.inference.tree.tree import Scored
from engine.inference.tree.tree_scorer import Batch, TreeScorer
from engine.inference.tree.trial import best_attention
from engine.overrides import reference
from engine.overrides.kernels import PLAIN, Overrides

Answers = tuple[list[float], list[list[int]]]


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(2)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.3,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def answers(model: Any, attention: Attention) -> Answers:
    """Scores of some prompts, and what greedy decoding makes of them."""
    rng = np.random.default_rng(1)
    stem = rng.integers(3, 64, 40)
    prompts = [np.concatenate((stem[: rng.integers(1, 41)], rng.integers(3, 64, 5))) for _ in range(9)]
    scored = [Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(prompts)]
    head = LMHead(model, attention.overrides)
    scores = TreeScorer(model, head, 512, attention).score(Batch(scored, [1] * 9), lambda *done: None)
    texts = Generator(model, head, attention).generate(
        prompts, max_new_tokens=7, end_of=lambda tokens, start: None, max_tokens=512, progress=lambda *done: None
    )
    return [score for score, _ in scores], texts


@pytest.fixture(scope="module")
def plainly(model: Any) -> Answers:
    return answers(model, DENSE)


@pytest.mark.parametrize("name", ["argmax", "copy_rows", "fill_cache", "decode_attention", "compiled"])
def test_each_is_what_inference_asks_for_and_may_be_its_reference(name: str, model: Any, plainly: Answers):
    calls: Counter[str] = Counter()
    torchs: Callable[..., Any] = getattr(PLAIN, name) or reference.decode_attention

    def counted(*arguments: Any, **named: Any) -> Any:
        calls[name] += 1
        return torchs(*arguments, **named)

    swapped: Any = {name: counted}
    by_paths = replace(DENSE, windows=frozenset({None}), by_paths=True, overrides=Overrides(**swapped))
    scores, texts = answers(model, by_paths)
    assert calls[name] > 0
    assert scores == pytest.approx(plainly[0], rel=1e-5)
    assert texts == plainly[1]


def test_without_triton_it_runs(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "triton" or name.endswith("_kernel")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2
        )
    ).eval()
    lm = PrunedLM(model, tokenizer, batch_tokens=512)
    [(score, _)] = lm._loglikelihood_tokens([(("", ""), [5, 6], [7])])
    assert score < 0


def test_plain_torch_may_be_asked_for(model: Any):
    attention, why = best_attention(model, plain=True)
    assert attention == replace(DENSE, lengths=attention.lengths)
    assert attention.overrides is PLAIN
    assert why == "plain torch was asked for"
