"""Rows picked out of one tensor and put down in another in one pass, in Triton.

The library gathers into a tensor of its own first, and scatters from there: it moves everything twice.
"""

from __future__ import annotations

from typing import Any

import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

_BLOCK = 4096  # elements that a program moves


def copy_rows(source: Tensor, taken: Tensor, target: Tensor, put: Tensor | None = None) -> None:
    """target[put[i]] = source[taken[i]] for every i.

    Args:
        source, target: [rows, heads, head_dim], each head contiguous; rows and heads may lie anywhere.
        taken, put: int64 [m]; without `put`, the rows are put down one after the other. No row is put down twice.
    """
    _, heads, head_dim = source.shape
    assert source.stride(2) == target.stride(2) == 1
    count = len(taken)
    if not count:
        return
    # A head's elements lie side by side also where its size is no power of two.
    dim = triton.next_power_of_2(head_dim)
    columns = min(triton.next_power_of_2(heads) * dim, _BLOCK)
    rows = _BLOCK // columns
    grid = triton.cdiv(count, rows), triton.cdiv(heads * dim, columns)
    launch: Any = _copy_rows_kernel[grid]  # pyright: ignore[reportIndexIssue]
    launch(
        source, taken, target, taken if put is None else put, count, heads,
        source.stride(0), source.stride(1), target.stride(0), target.stride(1),
        IN_ORDER=put is None, HEAD_DIM=head_dim, DIM=dim, ROWS=rows, COLUMNS=columns, num_warps=4,
    )  # fmt: skip


def fill_cache(source: Tensor, taken: Tensor, cache: Tensor, slots: Tensor, steps: Tensor) -> None:
    """cache[slots[i], :, steps[i]] = source[taken[i]] for every i.

    Args:
        source: [rows, heads, head_dim]; cache: [slots, heads, length, head_dim], contiguous.
        taken, slots, steps: int64 [m].
    """
    assert cache.is_contiguous()
    count, heads, length, head_dim = cache.shape
    # Each step of each slot as a row, whose heads lie a slot's steps apart; the last slot's first head ends them.
    rows = ((count - 1) * heads + 1) * length
    by_step = cache.as_strided((rows, heads, head_dim), (head_dim, length * head_dim, 1))
    copy_rows(source, taken, by_step, slots * (heads * length) + steps)


@triton.jit
def _copy_rows_kernel(
    source, taken, target, put, count, heads, source_row, source_head, target_row, target_head,
    IN_ORDER: tl.constexpr, HEAD_DIM: tl.constexpr, DIM: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
) -> Any:  # fmt: skip
    index = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    head = column // DIM
    dim = column % DIM
    real = index < count
    mask = real[:, None] & ((head < heads) & (dim < HEAD_DIM))[None, :]
    from_rows = tl.load(taken + index, mask=real, other=0)
    to_rows = index
    if not IN_ORDER:
        to_rows = tl.load(put + index, mask=real, other=0)
    values = tl.load(
        source + from_rows[:, None] * source_row + (head * source_head + dim)[None, :], mask=mask, other=0.0
    )
    tl.store(target + to_rows[:, None] * target_row + (head * target_head + dim)[None, :], values, mask=mask)
