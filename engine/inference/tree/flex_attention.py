"""FlexAttention over a packed tree, with a block-sparse mask: a row may hold a hundred thousand tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import flex_attention as flex_library
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from engine.inference.tree.sending import sent

BLOCK = 128  # tokens of a tile


class FlexAttention:
    """Compiled when it is first called, with the options that suit the first query: those of one model are alike."""

    def __init__(self) -> None:
        self._compiled: Callable[..., Tensor] | None = None

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, blocks: BlockMask, scaling: float | None, softcap: float | None
    ) -> Tensor:
        if self._compiled is None:
            self._compiled = _compiled(query)
        return self._compiled(query, key, value, blocks, scaling, softcap)


def _compiled(query: Tensor) -> Callable[..., Tensor]:
    options: Any = _kernel_options(query)

    def attend(
        q: Tensor, k: Tensor, v: Tensor, blocks: BlockMask, scaling: float | None, softcap: float | None
    ) -> Tensor:
        def cap(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return torch.tanh(score / softcap) * softcap  # pyright: ignore[reportOperatorIssue]

        return flex_attention(  # pyright: ignore[reportReturnType]
            q, k, v, score_mod=None if softcap is None else cap, block_mask=blocks, scale=scaling, enable_gqa=True,
            kernel_options=options,
        )  # fmt: skip

    return torch.compile(attend, dynamic=True)


# What was fastest on an H200 for heads of 64 in 16 bits: the defaults take 1.8 times as long.
_HOPPER_64 = {"BLOCK_M": 128, "BLOCK_N": 128, "num_warps": 4, "num_stages": 2, "USE_TMA": True}


def _kernel_options(query: Tensor) -> dict[str, Any]:
    """How FlexAttention's kernel divides the work, where it should not decide that itself."""
    if torch.version.hip is not None:
        return {}
    major, _ = torch.cuda.get_device_capability(query.device)
    if (major, query.shape[-1], query.element_size()) != (9, 64, 2):
        return {}
    # Earlier releases of PyTorch do not know the memory's copy engine.
    known = getattr(getattr(flex_library, "FlexKernelOptions", None), "__annotations__", {})
    return {name: value for name, value in _HOPPER_64.items() if name != "USE_TMA" or name in known}


def block_mask(
    depth: np.ndarray[Any, Any], end: np.ndarray[Any, Any], window: int | None, device: torch.device
) -> BlockMask:
    """Which tiles hold something to see, and which of them nothing hidden, from each tile's extremes alone."""
    tiles = len(end) // BLOCK
    ends, depths = end.reshape(tiles, BLOCK), depth.reshape(tiles, BLOCK)
    first = np.arange(tiles) * BLOCK
    last = first + BLOCK - 1
    query, key = np.arange(tiles)[:, None], np.arange(tiles)[None]
    some = (key <= query) & (ends.max(1)[None] > first[:, None])
    every = (key < query) & (ends.min(1)[None] > last[:, None])
    if window is not None:
        some &= depths.min(1)[:, None] - depths.max(1)[None] < window
        every &= depths.max(1)[:, None] - depths.min(1)[None] < window
    partial = some & ~every

    def listed(chosen: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        counts = chosen.sum(1, dtype=np.int32)
        rows, columns = np.nonzero(chosen)
        before = np.cumsum(counts) - counts
        order = np.zeros(chosen.shape, np.int32)  # beyond a row's count nothing is read
        order[rows, np.arange(len(rows)) - before[rows]] = columns
        return sent(counts, device)[None, None], sent(order, device)[None, None]

    end_of, depth_of = sent(end, device), sent(depth, device)
    if window is None:

        def sees(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return (j <= i) & (i < end_of[j])
    else:

        def sees(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return (j <= i) & (i < end_of[j]) & (depth_of[i] - depth_of[j] < window)

    return BlockMask.from_kv_blocks(
        *listed(partial), *listed(every), BLOCK_SIZE=BLOCK, mask_mod=sees, seq_lengths=(len(end), len(end))
    )
