"""Attention by dense masks, a block of queries at a time: what lies side by side is not copied, and gives the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.inference.tree.attention import DENSE
from engine.inference.tree.dense_attention import attend_part, parts_of
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.tree import Scored, TreeRow, pack

CPU = torch.device("cpu")


def row_of(*sequences: list[int]) -> TreeRow:
    scored = [Scored(np.array(tokens), ((at, np.array(tokens[-1:])),)) for at, tokens in enumerate(sequences)]
    [row] = pack(scored, 10**6)
    return row


APART = row_of(*([first, *range(100, 150)] for first in range(8)))
BRANCHES = row_of(*([1, 2, 3, 4, first, *range(100, 150)] for first in range(8)))


def test_keys_of_sequences_that_share_nothing_are_a_slice() -> None:
    assert all(isinstance(part.keys, slice) for part in parts_of(APART.depth, APART.end, None, CPU, torch.bool))


def test_keys_of_a_shared_beginning_are_gathered_where_branches_lie_between() -> None:
    assert any(
        isinstance(part.keys, torch.Tensor) for part in parts_of(BRANCHES.depth, BRANCHES.end, None, CPU, torch.bool)
    )


@pytest.mark.parametrize("softcap", [None, 30.0])
@pytest.mark.parametrize("window", [None, 20])
@pytest.mark.parametrize("row", [APART, BRANCHES], ids=["apart", "branches"])
def test_slices_and_ready_masks_give_the_bits_that_gathered_keys_and_booleans_give(
    row: TreeRow, window: int | None, softcap: float | None
) -> None:
    torch.manual_seed(0)
    # As a layer has them: token by token in memory.
    query, key, value = (torch.randn(1, len(row.tokens), heads, 16).transpose(1, 2) for heads in (8, 2, 2))
    dtype = torch.float32 if softcap is None else torch.bool
    places = torch.arange(len(row.tokens))
    fast, plain = (parts_of(row.depth, row.end, window, CPU, mask) for mask in (dtype, torch.bool))
    slow = [attend_part(query, key, value, replace(part, keys=places[part.keys]), None, softcap) for part in plain]
    for part, expected in zip(fast, slow, strict=True):
        assert torch.equal(attend_part(query, key, value, part, None, softcap), expected)
    on_device = DeviceRow(row, CPU, DENSE)
    assert torch.equal(on_device.attend(query, key, value, None, window, softcap), torch.cat(slow, 2).transpose(1, 2))
