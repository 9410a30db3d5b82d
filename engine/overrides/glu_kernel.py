"""silu(gate) · up in one pass over memory, in Triton.

What torch.compile makes of it was seen to take 1.4 times as long on an H200: 2.1 ms for 131,072 tokens of 8192, where
1.5 ms are what moving the numbers takes.
"""

from __future__ import annotations

from typing import Any

import torch
import triton  # pyright: ignore[reportMissingImports]
import triton.language as tl  # pyright: ignore[reportMissingImports]
from torch import Tensor

_BLOCK = 1024


def silu_product(gate: Tensor, up: Tensor) -> Tensor:
    """The product of contiguous tensors of one shape, with silu(gate) rounded to their dtype as the library does."""
    gate, up = gate.contiguous(), up.contiguous()
    output = torch.empty_like(gate)
    count = gate.numel()
    launch: Any = _silu_product_kernel[(triton.cdiv(count, _BLOCK),)]  # pyright: ignore[reportIndexIssue]
    launch(gate, up, output, count, BLOCK=_BLOCK, num_warps=4)
    return output


@triton.jit
def _silu_product_kernel(gate, up, output, count, BLOCK: tl.constexpr) -> Any:
    where = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    real = where < count
    g = tl.load(gate + where, mask=real, other=0.0).to(tl.float32)
    u = tl.load(up + where, mask=real, other=0.0)
    silu = (g / (1 + tl.exp(-g))).to(u.dtype)
    tl.store(output + where, silu * u, mask=real)
