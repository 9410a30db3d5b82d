"""Attention by dense masks, a block of queries at a time: what lies side by side is not copied, and gives the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.inference.tree.dense_attention import attend_part, parts_of
from engine.inference.tree.tree import Scored, TreeRow, pack

CPU = torch.device("cpu")


def row_of(*sequences: list[int]) -> TreeRow:
    scored = [Scored(np.array(tokens), ((at, np.array(tokens[-1:])),)) for at, tokens in enumerate(sequences)]
    [row] = pack(scored, 10**6)
    return row


APART = row_of(*([first, *range(100, 150)] for first in range(8)))
BRANCHES = row_of(*([1, 2, 3, 4, first, *range(100, 150)] for first in range(8)))


def test_keys_of_sequences_that_share_nothing_are_a_slice() -> None:
    assert all(isinstance(part.keys, slice) for part in parts_of(APART.depth, APART.end, None, CPU))


def test_keys_of_a_shared_beginning_are_gathered_where_branches_lie_between() -> None:
    assert any(isinstance(part.keys, torch.Tensor) for part in parts_of(BRANCHES.depth, BRANCHES.end, None, CPU))


@pytest.mark.parametrize("softcap", [None, 30.0])
@pytest.mark.parametrize("window", [None, 20])
@pytest.mark.parametrize("row", [APART, BRANCHES], ids=["apart", "branches"])
def test_a_slice_gives_the_bits_that_gathered_keys_give(
    row: TreeRow, window: int | None, softcap: float | None
) -> None:
    torch.manual_seed(0)
    # As a layer has them: token by token in memory.
    query, key, value = (torch.randn(1, len(row.tokens), heads, 16).transpose(1, 2) for heads in (8, 2, 2))
    places = torch.arange(len(row.tokens))
    for part in parts_of(row.depth, row.end, window, CPU):
        gathered = replace(part, keys=places[part.keys])
        found, slow = (attend_part(query, key, value, one, None, softcap) for one in (part, gathered))
        assert torch.equal(found, slow)
