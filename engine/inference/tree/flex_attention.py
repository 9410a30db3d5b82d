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


class FlexUnavailableError(RuntimeError):
    """FlexAttention does not work on this machine, or with this model."""


class FlexAttention:
    """Compiled when it is first called, with the options that suit the first query: those of one model are alike.

    Compiling takes seconds, and many models never need it. If it does not work, `warn` is told once.

    Attributes:
        problem: why it does not work, once it was tried and did not.
    """

    def __init__(self, warn: Callable[[str], None] = lambda message: None) -> None:
        self.problem: str | None = None
        self._warn = warn
        self._compiled: dict[float | None, Callable[..., Tensor]] = {}  # by the cap of the scores

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, blocks: BlockMask, scaling: float | None, softcap: float | None
    ) -> Tensor:
        """Raises:
        FlexUnavailableError: it does not work, as the first call found out.
        """
        if softcap in self._compiled:
            return self._compiled[softcap](query, key, value, blocks, scaling)
        if self.problem is None:
            try:
                compiled = _compiled(query, softcap)
                output = compiled(query, key, value, blocks, scaling)
            except (torch.AcceleratorError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # no compiler, a head size it cannot do: many libraries' many errors
                first = next(iter(str(error).splitlines()), "")
                self.problem = f"FlexAttention does not work here ({type(error).__name__}: {first})"
                self._warn(f"{self.problem}: prompts with very many endings are masked densely, which is slower.")
            else:
                self._compiled[softcap] = compiled
                return output
        raise FlexUnavailableError(self.problem)


def _compiled(query: Tensor, softcap: float | None) -> Callable[..., Tensor]:
    options: Any = _kernel_options(query)
    # A tensor, since a number would be made a symbol by dynamic shapes, which a score's function cannot have.
    cap = torch.tensor(softcap or 0.0, device=query.device)

    def attend(q: Tensor, k: Tensor, v: Tensor, blocks: BlockMask, scaling: float | None) -> Tensor:
        def capped(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return torch.tanh(score / cap) * cap

        return flex_attention(  # pyright: ignore[reportReturnType]
            q, k, v, score_mod=None if softcap is None else capped, block_mask=blocks, scale=scaling, enable_gqa=True,
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
