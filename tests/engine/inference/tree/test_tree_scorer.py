"""Scores from packed trees are those of each sequence run by itself, whatever the model's attention looks like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from engine.inference.lm_head import LMHead
from engine.inference.probing import Findings, probe_trees
from engine.inference.tree.attention import DENSE
from engine.inference.tree.tree import Scored
from engine.inference.tree.tree_scorer import Batch, TreeScorer

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "llama with biases": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True)),
    "mistral with a sliding window": lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=5)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "qwen2 with windows in its upper layers": lambda: Qwen2ForCausalLM(
        Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=5, max_window_layers=2)
    ),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8)),
    "gemma2, capped, with alternating windows": lambda: Gemma2ForCausalLM(
        Gemma2Config(**SIZES, head_dim=8, sliding_window=5, attn_logit_softcapping=2.0)
    ),
    "gemma3": lambda: Gemma3ForCausalLM(Gemma3TextConfig(**SIZES, head_dim=8, sliding_window=5)),
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(**SIZES, sliding_window=7)),
}


def requests(count: int = 24) -> list[Scored]:
    """Sequences with many shared beginnings; the k-th is scored on its last tokens as request k."""
    rng = np.random.default_rng(5)
    stems = [rng.integers(3, 64, size=12) for _ in range(3)]
    sequences = []
    for index in range(count):
        own = rng.integers(3, 64, size=rng.integers(1, 9))
        tokens = np.concatenate((stems[index % 3][: rng.integers(4, 13)], own))
        continuation = np.append(tokens, rng.integers(3, 64))[-(len(own) + 1) :]
        sequences.append(Scored(tokens, ((index, continuation),)))
    return sequences


@torch.no_grad()
def alone(model: PreTrainedModel, sequence: Scored) -> tuple[float, bool]:
    [(_, continuation)] = sequence.requests
    output: Any = model(torch.from_numpy(sequence.tokens)[None], use_cache=False)
    log_probabilities = output.logits[0].float().log_softmax(-1)[-len(continuation) :]
    targets = torch.from_numpy(continuation)
    return (
        float(log_probabilities.gather(1, targets[:, None]).sum()),
        bool((log_probabilities.argmax(-1) == targets).all()),
    )


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    torch.manual_seed(1)
    return MODELS[request.param]().eval()


@pytest.mark.parametrize("max_tokens", one_in(3, [64, 8, 4096]), ids=["cut rows", "one sequence a row", "one row"])
def test_every_request_scores_as_if_it_ran_alone(model: PreTrainedModel, max_tokens: int) -> None:
    sequences = requests()
    scorer = TreeScorer(model, LMHead(model), max_tokens, DENSE)
    finished: list[tuple[int, int]] = []
    scores = scorer.score(Batch(sequences, [1] * len(sequences)), lambda *done: finished.append(done))
    expected = [alone(model, sequence) for sequence in sequences]
    assert [score for score, _ in scores] == pytest.approx([score for score, _ in expected], rel=1e-4)
    assert [greedy for _, greedy in scores] == [greedy for _, greedy in expected]
    assert sum(done for done, _ in finished) == len(sequences)


def test_the_model_has_its_own_attention_back_afterwards(model: PreTrainedModel) -> None:
    usual = model.config._attn_implementation
    TreeScorer(model, LMHead(model), 64, DENSE).score(Batch(requests(), [1] * 24), lambda *done: None)
    assert model.config._attn_implementation == usual


def test_running_out_of_memory_repacks_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    scorer = TreeScorer(model, LMHead(model), 4096, DENSE)
    sequences = requests()
    expected = scorer.score(Batch(sequences, [1] * 24), lambda *done: None)
    run = scorer._run

    def small_memory(row: Any) -> Any:
        if row.length > 40:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(row)

    monkeypatch.setattr(scorer, "_run", small_memory)
    scores = scorer.score(Batch(sequences, [1] * 24), lambda *done: None)
    assert scorer.max_tokens <= 80
    assert [score for score, _ in scores] == pytest.approx([score for score, _ in expected], rel=1e-5)


def test_nothing_keeps_these_from_being_packed(model: PreTrainedModel) -> None:
    assert probe_trees(model, DENSE) == Findings(None, has_usual_cache=True)
