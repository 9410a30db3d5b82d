"""Two models in one process: each answers as if it were alone, however their work is mixed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from lm_eval.api.instance import Instance
from transformers import AutoTokenizer, Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.pruning.ladder import Ladder

TEXTS = ("The fox went to", "The fox went home.", "Lily has two", "12 + 5 =", "Lily has two red hats and", "A")
SIZES: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "initializer_range": 0.2, "max_position_embeddings": 64,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
Asked = Callable[[PrunedLM], Any]


def log_likelihoods(lm: PrunedLM) -> list[tuple[float, bool]]:
    requests = [(text, " the") for text in TEXTS] + [("", text) for text in TEXTS]
    return lm.loglikelihood([
        Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=at) for at, pair in enumerate(requests)
    ])  # fmt: skip


def texts(lm: PrunedLM) -> list[str]:
    options = {"until": ["\n"], "max_gen_toks": 12, "do_sample": False}
    return lm.generate_until([
        Instance(request_type="generate_until", doc={}, arguments=(text, dict(options)), idx=at)
        for at, text in enumerate(TEXTS)
    ])  # fmt: skip


@dataclass
class Subject:
    """A model that can be asked at two widths."""

    lm: PrunedLM
    ladder: Ladder

    def ask(self, width: int, asked: Asked) -> Any:
        self.ladder.set_width(width)
        return asked(self.lm)


def subject(kind: str) -> Subject:
    """With heads, layers, windows and caps on scores of its own."""
    torch.manual_seed(len(kind))
    tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR)
    model: Any
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**SIZES, vocab_size=len(tokenizer)))
    else:
        own: dict[str, Any] = SIZES | {
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
        }
        model = Gemma2ForCausalLM(
            Gemma2Config(**own, vocab_size=len(tokenizer), sliding_window=4, attn_logit_softcapping=3.0)
        )
    model = model.eval().requires_grad_(False)
    ladder = Ladder(model, method="maw", seed=0, pad_to=1)
    return Subject(PrunedLM(model, tokenizer, batch_tokens=256, warn=lambda message: pytest.fail(message)), ladder)


KINDS = ("llama", "gemma2")
QUESTIONS: list[tuple[int, Asked]] = [(width, asked) for width in (64, 40) for asked in (log_likelihoods, texts)]


@pytest.fixture(scope="module")
def alone() -> dict[str, list[Any]]:
    found = {}
    for kind in KINDS:
        one = subject(kind)
        found[kind] = [one.ask(*question) for question in QUESTIONS]
    assert found["llama"] != found["gemma2"]
    return found


def test_in_turn(alone: dict[str, list[Any]]):
    pair = {kind: subject(kind) for kind in KINDS}
    made: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for question in QUESTIONS:
        for kind in KINDS:
            made[kind].append(pair[kind].ask(*question))
    assert made == alone


@pytest.mark.parametrize("asked", [log_likelihoods, texts])
def test_one_while_the_other_is_half_way(alone: dict[str, list[Any]], asked: Asked):
    llama, gemma = map(subject, KINDS)
    between: list[Any] = []
    llama.lm.progress = lambda requests, tokens: between.append(asked(gemma.lm))
    at = [one for _, one in QUESTIONS].index(asked)
    assert llama.ask(64, asked) == alone["llama"][at]
    assert between
    assert all(made == alone["gemma2"][at] for made in between)


def test_at_the_same_time(alone: dict[str, list[Any]]):
    pair = {kind: subject(kind) for kind in KINDS}

    def ask(kind: str) -> list[Any]:
        return [pair[kind].ask(*question) for question in QUESTIONS]

    with ThreadPoolExecutor(2) as threads:
        assert dict(zip(KINDS, threads.map(ask, KINDS), strict=True)) == alone
