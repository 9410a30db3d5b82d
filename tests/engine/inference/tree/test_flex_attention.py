"""The block mask for FlexAttention lets each token of a tree see its ancestors, and nothing else."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in
from transformers import LlamaConfig, LlamaForCausalLM

from engine.inference.lm_head import LMHead
from engine.inference.tree import flex_attention as flex_module
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.flex_attention import FlexAttention
from engine.inference.tree.tree import Scored, pack
from engine.inference.tree.tree_scorer import Batch, TreeScorer

TILE = 128
SIZES: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip


def sees(depth: np.ndarray[Any, Any], end: np.ndarray[Any, Any], window: int | None) -> np.ndarray[Any, Any]:
    """bool [tokens, tokens], from what a tree's fields mean."""
    i, j = np.arange(len(end))[:, None], np.arange(len(end))[None]
    found = (j <= i) & (i < end[None])
    return found if window is None else found & (depth[:, None] - depth[None] < window)


def listed(counts: torch.Tensor, indices: torch.Tensor) -> np.ndarray[Any, Any]:
    """bool [tiles, tiles]: the tiles of keys that are named for each tile of queries."""
    found = np.zeros(indices.shape[2:], bool)
    for row, (count, columns) in enumerate(zip(counts[0, 0].tolist(), indices[0, 0].tolist(), strict=True)):
        assert len(set(columns[:count])) == count
        found[row, columns[:count]] = True
    return found


@pytest.mark.parametrize("window", [None, 70, 300])
@pytest.mark.parametrize("longest", one_in(3, [900, 20, 200]))
def test_every_tile_is_in_the_list_it_belongs_to(longest: int, window: int | None) -> None:
    rng = np.random.default_rng(longest)
    stem = rng.integers(0, 3, longest // 3)
    sequences = [
        Scored(
            np.concatenate((stem[: rng.integers(1, len(stem) + 1)], rng.integers(0, 3, rng.integers(1, longest)))), ()
        )
        for _ in range(40)
    ]
    rows = pack([Scored(s.tokens, ((at, np.zeros(1, int)),)) for at, s in enumerate(sequences)], 2500, least_shared=4)
    for row in rows:
        on_device = DeviceRow(row, torch.device("cpu"), Attention(tiles=True))
        mask: Any = on_device.blocks(window)
        padding = np.arange(len(row.tokens), on_device.length)
        depth = np.pad(row.depth, (0, len(padding)))
        end = np.concatenate((row.end, padding + 1))
        expected = sees(depth, end, window)
        tiles = expected.reshape(len(end) // TILE, TILE, -1, TILE).swapaxes(1, 2)
        partial = listed(mask.kv_num_blocks, mask.kv_indices)
        full = listed(mask.full_kv_num_blocks, mask.full_kv_indices)
        assert not (partial & full).any()
        assert tiles[full].all(), "nothing of these is masked"
        assert not tiles[~(partial | full)].any(), "these are not looked at"
        index = torch.arange(len(end))
        masked = mask.mask_mod(0, 0, index[:, None], index[None]).numpy()
        np.testing.assert_array_equal(
            masked.reshape(tiles.shape[0], TILE, -1, TILE).swapaxes(1, 2)[partial], tiles[partial]
        )


@pytest.mark.slow
def test_compiled_it_gives_what_dense_masks_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a window and a cap, as Gemma 2 has them. Traced with all shapes open, as on a GPU; the kernel itself is not
    made, which takes a CPU's compiler a minute.
    """
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    window, softcap = 48, 20.0
    monkeypatch.setattr(flex_module, "_kernel_options", lambda query: {})
    rng = np.random.default_rng(0)
    stem, attention = rng.integers(3, 64, 90), Attention(tiles=True, windows=frozenset({window}))
    for count in (3, 11):  # of any length, once compiled
        sequences = [np.concatenate((stem, rng.integers(3, 64, rng.integers(5, 80)))) for _ in range(count)]
        [row] = pack([Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(sequences)], 10**6)
        on_device = DeviceRow(row, torch.device("cpu"), attention)
        query, key, value = (4 * torch.randn(1, heads, on_device.length, 64) for heads in (4, 2, 2))
        with torch.no_grad():
            tiled = on_device.attend(query, key, value, 0.125, window, softcap)
            query, key, value = (states[:, :, : len(row.tokens)] for states in (query, key, value))
            plain = DeviceRow(row, torch.device("cpu"), Attention(tiles=False))
            dense = plain.attend(query, key, value, 0.125, window, softcap)
        assert attention.flex.problem is None
        torch.testing.assert_close(tiled[:, : len(row.tokens)], dense, rtol=1e-4, atol=1e-4)


def test_where_it_does_not_compile_rows_are_masked_densely_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[torch.Size] = []

    def fails(query: torch.Tensor, softcap: float | None) -> Any:
        tried.append(query.shape)
        raise RuntimeError("no compiler here\nof many lines")

    monkeypatch.setattr(flex_module, "_compiled", fails)
    model, said = LlamaForCausalLM(LlamaConfig(**SIZES)).eval(), list[str]()
    rng = np.random.default_rng(0)
    stem = rng.integers(3, 64, 30)
    sequences = [np.concatenate((stem, rng.integers(3, 64, rng.integers(1, 9)))) for _ in range(20)]
    scored = [Scored(tokens, ((at, tokens[-1:]),)) for at, tokens in enumerate(sequences)]

    def scores(attention: Attention) -> list[float]:
        scorer = TreeScorer(model, LMHead(model), 128, attention)
        batch = Batch(scored, [1] * len(scored))
        again = [scorer.score(batch, lambda *done: None) for _ in range(2)]
        assert again[0] == pytest.approx(again[1], rel=1e-6)
        assert not batch.on_device, "masks of all rows at once would not fit"
        return [log_likelihood for log_likelihood, _ in again[1]]

    attention = Attention(tiles=True, windows=frozenset({None}), flex=FlexAttention(said.append))
    assert scores(attention) == pytest.approx(scores(Attention(tiles=False)), rel=1e-5)
    assert not attention.still_tiles
    assert len(tried) == 1
    [sentence] = said
    assert "RuntimeError: no compiler here): prompts with very many endings are masked densely" in sentence


def test_memory_that_runs_out_is_no_reason_to_give_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def runs_out(query: torch.Tensor, softcap: float | None) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(flex_module, "_compiled", runs_out)
    flex, states = FlexAttention(), torch.zeros(1, 2, TILE, 8)
    mask: Any = None
    with pytest.raises(torch.OutOfMemoryError):
        flex(states, states, states, mask, None, None)
    assert flex.problem is None
