"""What each kernel of `engine.overrides.kernels` computes, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor


def argmax(logits: Tensor) -> Tensor:
    """The index of each row's largest logit, of equals the first: [rows, vocab_size] → int64 [rows]."""
    return logits.argmax(-1)


def copy_rows(source: Tensor, taken: Tensor, target: Tensor, put: Tensor | None) -> None:
    """target[put[i]] = source[taken[i]], where `put` is 0, 1, 2, … if there is none."""
    if put is None:
        target.copy_(source.index_select(0, taken))
    else:
        target.index_copy_(0, put, source.index_select(0, taken))


def fill_cache(source: Tensor, taken: Tensor, cache: Tensor, slots: Tensor, steps: Tensor) -> None:
    """cache[slots[i], :, steps[i]] = source[taken[i]]."""
    cache[slots, :, steps] = source[taken]


def decode_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    keys: Tensor,
    values: Tensor,
    positions: Tensor,
    *,
    scaling: float | None,
    window: int | None = None,
    softcap: float | None = None,
) -> Tensor:
    """What each sequence's new token sees; its key and value are in the cache afterwards.

    Args:
        query: [slots, heads, 1, head_dim]; key, value: [slots, kv_heads, 1, head_dim].
        keys, values: the cache, [slots, kv_heads, length, head_dim].
        positions: int64 [slots], of the new tokens; everything before is seen, with a window its last `window` - 1.

    Returns:
        [slots, 1, heads, head_dim].
    """
    slots = torch.arange(len(positions), device=positions.device)
    keys[slots, :, positions] = key[:, :, 0]
    values[slots, :, positions] = value[:, :, 0]
    behind = positions[:, None] - torch.arange(keys.shape[2], device=positions.device)
    sees = (behind >= 0) if window is None else (behind >= 0) & (behind < window)
    groups = query.shape[1] // key.shape[1]
    scores = query @ keys.repeat_interleave(groups, 1).transpose(2, 3)
    scores = scores * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    weights = scores.masked_fill(~sees[:, None, None], float("-inf")).softmax(-1, dtype=torch.float32)
    return (weights.to(query.dtype) @ values.repeat_interleave(groups, 1)).transpose(1, 2)
