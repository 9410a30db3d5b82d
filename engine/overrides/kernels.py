"""The overrides of a model's passes, asked for in one place: plain torch, or kernels of ours in Triton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.overrides import reference

CopyRows = Callable[[Tensor, Tensor, Tensor, Tensor | None], None]
FillCache = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], None]


class DecodeAttention(Protocol):
    """Attention of one new token a sequence, which is put into the cache in passing."""

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        keys: Tensor,
        values: Tensor,
        positions: Tensor,
        *,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor: ...


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


@dataclass(frozen=True, slots=True)
class Overrides:
    """What computes parts of a pass. Without arguments all of it is plain torch.

    Attributes:
        argmax: the largest logit of each row.
        copy_rows: rows picked out of one tensor and put down in another.
        fill_cache: the same into a KV cache.
        decode_attention: as `reference.decode_attention`; None is torch's attention as far as the longest sequence
            goes, with a mask that all layers of a step share.
        compiled: makes one kernel of a function's many.
    """

    argmax: Callable[[Tensor], Tensor] = reference.argmax
    copy_rows: CopyRows = reference.copy_rows
    fill_cache: FillCache = reference.fill_cache
    decode_attention: DecodeAttention | None = None
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = _as_it_is


PLAIN = Overrides()


def triton_kernels() -> Overrides:
    """Kernels for a CUDA GPU.

    Raises:
        ImportError: Triton is not installed.
    """
    from engine.overrides.argmax_kernel import largest
    from engine.overrides.decode_kernel import decode_attention
    from engine.overrides.row_kernel import copy_rows, fill_cache

    return Overrides(largest, copy_rows, fill_cache, decode_attention, _compiled)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(function, dynamic=True)
