"""Attention of one new token a sequence over a KV cache of ours, in one Triton kernel for all sequences.

Each sequence's keys and values are read up to its own position, once for all query heads that share them, where a
library call reads every sequence up to the longest and wants a mask. The new key and value are put into the cache in
passing. The softmax is kept up block by block, as in FlashAttention (Dao et al. 2022, arXiv:2205.14135).
"""

from __future__ import annotations

from typing import Any

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

# What was fastest on an H200. Four tiles of keys and of values take 64 KiB of shared memory, which all GPUs have.
_TILE_BYTES = 2**13
_STAGES = 4
_WARPS = 2


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
        keys, values: the cache, [slots, kv_heads, length, head_dim], laid out alike.
        positions: int64 [slots], of the new tokens; everything before is seen, with a window its last `window` - 1.
        scaling: of the scores; None is head_dim ** -0.5.
        softcap: scores are squeezed into ± this, as in Gemma 2.

    Returns:
        [slots, 1, heads, head_dim].
    """
    slots, heads, _, head_dim = query.shape
    kv_heads = key.shape[1]
    dim = max(16, triton.next_power_of_2(head_dim))
    row_bytes = dim * keys.element_size()
    block = max(16, min(128, _TILE_BYTES // row_bytes))
    output = torch.empty(slots, 1, heads, head_dim, dtype=query.dtype, device=query.device)
    assert query.stride(3) == key.stride(3) == value.stride(3) == keys.stride(3) == 1
    assert keys.stride() == values.stride()
    launch: Any = _decode_attention_kernel[(slots, kv_heads)]  # pyright: ignore[reportIndexIssue]
    launch(
        query, key, value, keys, values, positions, output,
        head_dim**-0.5 if scaling is None else scaling, softcap or 0.0, window or 0,
        query.stride(0), query.stride(1), key.stride(0), key.stride(1), value.stride(0), value.stride(1),
        keys.stride(0), keys.stride(1), keys.stride(2),
        GROUP=heads // kv_heads, ROWS=max(16, triton.next_power_of_2(heads // kv_heads)), HEAD_DIM=head_dim, DIM=dim,
        BLOCK=block, CAPPED=softcap is not None, WINDOWED=window is not None,
        num_warps=_WARPS, num_stages=max(1, _STAGES * _TILE_BYTES // max(_TILE_BYTES, block * row_bytes)),
    )  # fmt: skip
    return output


@triton.jit
def _decode_attention_kernel(
    query, key, value, keys, values, positions, output,
    scaling, softcap, window,
    query_slot, query_head, key_slot, key_head, value_slot, value_head, cache_slot, cache_head, cache_step,
    GROUP: tl.constexpr, ROWS: tl.constexpr, HEAD_DIM: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr,
    CAPPED: tl.constexpr, WINDOWED: tl.constexpr,
) -> Any:  # fmt: skip
    slot = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1).to(tl.int64)
    position = tl.load(positions + slot)
    rows = tl.arange(0, ROWS)
    dims = tl.arange(0, DIM)
    real = dims < HEAD_DIM
    mask = (rows < GROUP)[:, None] & real[None, :]
    heads = head * GROUP + rows
    q = tl.load(query + slot * query_slot + heads[:, None] * query_head + dims[None, :], mask=mask, other=0.0)
    own_key = tl.load(key + slot * key_slot + head * key_head + dims, mask=real, other=0.0)
    own_value = tl.load(value + slot * value_slot + head * value_head + dims, mask=real, other=0.0)
    cache = slot * cache_slot + head * cache_head
    tl.store(keys + cache + position * cache_step + dims, own_key, mask=real)
    tl.store(values + cache + position * cache_step + dims, own_value, mask=real)

    # The new token sees itself, so that there is always a largest score.
    largest = tl.sum(q.to(tl.float32) * own_key.to(tl.float32)[None, :], 1) * scaling
    if CAPPED:
        largest = _cap(largest, softcap)
    total = tl.full([ROWS], 1.0, tl.float32)
    weighted = tl.zeros([ROWS, DIM], tl.float32) + own_value.to(tl.float32)[None, :]
    first = tl.zeros([], tl.int64)
    if WINDOWED:
        first = tl.maximum(position - window + 1, 0)
    for start in range(first, position, BLOCK):
        steps = start + tl.arange(0, BLOCK)
        seen = steps < position
        where = cache + steps[:, None] * cache_step + dims[None, :]
        k = tl.load(keys + where, mask=seen[:, None] & real[None, :], other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scaling
        if CAPPED:
            scores = _cap(scores, softcap)
        scores = tl.where(seen[None, :], scores, float("-inf"))
        larger = tl.maximum(largest, tl.max(scores, 1))
        shrunk = tl.exp(largest - larger)
        weights = tl.exp(scores - larger[:, None])
        total = total * shrunk + tl.sum(weights, 1)
        v = tl.load(values + where, mask=seen[:, None] & real[None, :], other=0.0)
        weighted = weighted * shrunk[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")
        largest = larger
    mean = weighted / total[:, None]
    # [slots, 1, heads, head_dim] is contiguous.
    where = (slot * tl.num_programs(1) * GROUP + heads[:, None]) * HEAD_DIM + dims[None, :]
    tl.store(output + where, mean.to(output.dtype.element_ty), mask=mask)


@triton.jit
def _cap(scores, softcap):
    """softcap × tanh(scores / softcap)."""
    return softcap * (2 / (1 + tl.exp(-2 * scores / softcap)) - 1)
