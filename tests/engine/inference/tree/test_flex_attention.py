"""The block mask for FlexAttention lets each token of a tree see its ancestors, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in

from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.tree import Scored, pack

TILE = 128


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
