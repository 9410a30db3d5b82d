"""Attention over a packed tree by scaled dot products, a block of queries at a time, each with the keys it may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engine.inference.tree.tree import Ints

_QUERIES = 64  # of a block


@dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive tokens of a row, the m tokens that any of them sees, and which sees which: [queries, m].

    Attributes:
        keys: a slice where these lie side by side, as they do where little is shared: nothing is then copied.
        mask: what is added to scores, 0 or −∞; bool, true where one sees the other, for scores that are capped.
    """

    queries: slice
    keys: slice | Tensor
    mask: Tensor


def visible(end: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Block by block, tokens of a row and all that one of them may see; `end` is where each token's subtree stops."""
    for start in range(0, len(end), _QUERIES):
        queries = np.arange(start, min(start + _QUERIES, len(end)))
        yield queries, np.flatnonzero(end[: queries[-1] + 1] > start)


def parts_of(depth: Ints, end: Ints, window: int | None, device: torch.device, mask_dtype: torch.dtype) -> list[Part]:
    """A row's queries, block by block; `mask_dtype` is bool, or that of what attends."""
    return [_part(queries, keys, depth, end, window, device, mask_dtype) for queries, keys in visible(end)]


def _part(
    queries: Ints,
    keys: Ints,
    depth: Ints,
    end: Ints,
    window: int | None,
    device: torch.device,
    mask_dtype: torch.dtype,
) -> Part:
    sees = (keys <= queries[:, None]) & (queries[:, None] < end[keys])
    if window is not None:
        sees &= depth[queries][:, None] - depth[keys] < window
    needed = sees.any(0)
    seen = keys[needed]
    first, last = int(seen[0]), int(seen[-1])
    index = slice(first, last + 1) if last - first < len(seen) else torch.from_numpy(seen).to(device)
    mask = torch.from_numpy(sees[:, needed]).to(device)
    if mask_dtype.is_floating_point:  # as each call would make it again
        mask = torch.zeros(mask.shape, dtype=mask_dtype, device=device).masked_fill_(~mask, float("-inf"))
    return Part(slice(int(queries[0]), int(queries[-1]) + 1), index, mask)


def attend_part(
    query: Tensor, key: Tensor, value: Tensor, part: Part, scaling: float | None, softcap: float | None
) -> Tensor:
    """The outputs of a part's queries: [1, heads, queries, head_dim]."""
    query, key, value = query[:, :, part.queries], key[:, :, part.keys], value[:, :, part.keys]
    if softcap is not None:
        return capped_attention(query, key, value, part.mask, scaling, softcap)
    return scaled_dot_product_attention(query, key, value, attn_mask=part.mask, scale=scaling, enable_gqa=True)


def capped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scaling: float | None, softcap: float) -> Tensor:
    """Gemma 2's attention, whose scores are squeezed into ±softcap; `mask` is true where q may see k."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = q @ k.transpose(2, 3) * (q.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = torch.tanh(scores / softcap) * softcap
    return scores.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.float32).to(q.dtype) @ v
