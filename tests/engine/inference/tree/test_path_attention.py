"""Attention path by path gives what each sequence has by itself, and is chosen only where it sees the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.tree import path_attention
from engine.inference.tree import trial as trial_module
from engine.inference.tree.attending import attending
from engine.inference.tree.attention import DENSE, Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.path_attention import attend_by_paths, paths_of
from engine.inference.tree.tree import Scored, TreeRow, pack
from engine.inference.tree.tree_scorer import Batch, TreeScorer
from engine.inference.tree.trial import _Trial, best_attention
from engine.overrides import reference

CPU = torch.device("cpu")
BY_PATHS = Attention(tiles=False, windows=frozenset({None}), by_paths=True)
SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def tree(lengths: tuple[int, int], count: int, seed: int = 0) -> TreeRow:
    """Sequences on four stems, some of them the beginning of others."""
    rng = np.random.default_rng(seed)
    stems = [rng.integers(0, 64, lengths[1]) for _ in range(4)]
    sequences = [
        np.concatenate((stems[rng.integers(4)][: rng.integers(*lengths)], rng.integers(0, 64, rng.integers(0, 9))))
        for _ in range(count)
    ]
    unique = {tokens.tobytes(): tokens for tokens in sequences}.values()
    [row] = pack([Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(unique)], 10**6)
    return row


@pytest.mark.parametrize("at_once", [64, 1024, path_attention._AT_ONCE])
def test_every_token_sees_its_path_and_nothing_else(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(path_attention, "_AT_ONCE", at_once)
    row = tree((2, 150), 60)
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, len(row.tokens), 8) for heads in (4, 2, 2))
    found = attend_by_paths(query, key, value, paths_of(row, CPU), None, reference.copy_rows)[0].transpose(0, 1)
    keys, values = (states[0].repeat_interleave(2, 0) for states in (key, value))
    for path in row.paths():
        scores = query[0, :, path] @ keys[:, path].transpose(1, 2) * 8**-0.5
        hidden = torch.ones(len(path), len(path)).triu(1).bool()
        expected = scores.masked_fill(hidden, float("-inf")).softmax(-1) @ values[:, path]
        torch.testing.assert_close(found[:, path], expected)


def test_paths_are_put_together_by_length_and_each_token_is_filled_in_once() -> None:
    row = tree((2, 1500), 200)
    groups = paths_of(row, CPU)
    own = torch.cat([group.own for group in groups])
    assert sorted(own.tolist()) == list(range(len(row.tokens)))
    lengths = {len(group.tokens) // group.count for group in groups}
    assert lengths <= {
        *range(16, 129, 16), *range(160, 257, 32), *range(320, 513, 64), *range(640, 1025, 128), *range(1280, 2049, 256)
    }  # fmt: skip
    assert all(len(group.tokens) <= path_attention._AT_ONCE for group in groups)
    for group in groups:
        torch.testing.assert_close(group.tokens[group.at], group.own)
    shapes = {(group.count, len(group.tokens)) for group in groups}
    assert len(shapes) <= 2 * len(lengths), "a library prepares for each shape, so there are few"


@pytest.mark.parametrize(
    "model",
    [
        LlamaForCausalLM(LlamaConfig(**SIZES)),
        Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8)),
        MistralForCausalLM(MistralConfig(**SIZES, sliding_window=4096)),
    ],
    ids=lambda model: model.config.model_type,
)
def test_scores_and_texts_are_those_of_dense_masks(model: Any) -> None:
    torch.manual_seed(2)
    model.eval()
    rng = np.random.default_rng(1)
    stem = rng.integers(3, 64, 70)
    prompts = [
        np.concatenate((stem[: rng.integers(1, 71)], rng.integers(3, 64, rng.integers(1, 9)))) for _ in range(20)
    ]
    scored = [Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(prompts)]

    def answers(attention: Attention) -> tuple[Any, Any]:
        scores = TreeScorer(model, LMHead(model), 512, attention).score(Batch(scored, [1] * 20), lambda *done: None)
        texts = Generator(model, LMHead(model), attention).generate(
            prompts, max_new_tokens=9, end_of=lambda tokens, start: None, max_tokens=512,
            progress=lambda *done: None,
        )  # fmt: skip
        return [score for score, _ in scores], texts

    scores, texts = answers(BY_PATHS)
    expected_scores, expected_texts = answers(DENSE)
    assert scores == pytest.approx(expected_scores, rel=1e-4)
    assert texts == expected_texts


@pytest.mark.parametrize(
    ("windows", "expected"),
    [({None}, True), ({30}, True), ({29}, False), ({None, 4096}, True), ({None, 5}, False)],
)
def test_a_path_longer_than_a_window_is_left_to_masks(windows: set[int | None], expected: bool) -> None:
    [row] = pack([Scored(np.arange(30), ((0, np.arange(1)),)), Scored(np.arange(5), ((1, np.arange(1)),))], 100)
    assert Attention(tiles=True, windows=frozenset(windows), by_paths=True).takes_paths(row) is expected
    assert not Attention(tiles=True, windows=frozenset(windows)).takes_paths(row)


def test_many_branches_of_a_long_beginning_are_left_to_masks() -> None:
    stem = np.arange(1000)
    [row] = pack([Scored(np.append(stem, at), ((at, stem[:1]),)) for at in range(40)], 10**6)
    assert not BY_PATHS.takes_paths(row)
    assert DeviceRow(row, CPU, BY_PATHS).length == len(row.tokens)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LlamaForCausalLM(LlamaConfig(**SIZES)), True),
        (Gemma2ForCausalLM(Gemma2Config(**SIZES, head_dim=8, sliding_window=99)), False),
    ],
    ids=["llama", "gemma2, which caps its scores"],
)
@torch.no_grad()
def test_a_trial_finds_out_whether_paths_give_what_the_model_wants(
    model: Any, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Size] = []

    def works(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> bool:
        seen.append(key.shape)
        return True

    monkeypatch.setattr(trial_module, "paths_work", works)
    trial = _Trial(tree((2, 9), 5), CPU, DENSE)
    with attending(model, trial):
        model.base_model(trial.tokens, position_ids=trial.positions, use_cache=False)
    assert trial.by_paths is expected
    assert len(seen) == (SIZES["num_hidden_layers"] if expected else 0)


def test_paths_are_not_taken_where_rounding_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    half, single = (torch.zeros(1, 4, 128, 8, dtype=dtype) for dtype in (torch.bfloat16, torch.float32))
    assert not path_attention.paths_work(half, half, half), "no kernel does it on a CPU"
    monkeypatch.setattr(torch.backends.cuda, "can_use_flash_attention", lambda params: True)
    assert path_attention.paths_work(half, half, half)
    assert not path_attention.paths_work(single, single, single)
    attention, problem = best_attention(LlamaForCausalLM(LlamaConfig(**SIZES)))
    assert (attention.tiles, attention.by_paths) == (DENSE.tiles, DENSE.by_paths) == (False, False)
    assert problem is not None
    assert "the model is on cpu" in problem
