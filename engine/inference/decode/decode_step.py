"""Attention of a step of decoding: an attention function of ours, registered with transformers.

transformers' attention repeats keys and values for grouped-query heads whenever there is a mask; ours does not. Where
there is a kernel for it, each sequence is read up to its own end; elsewhere all are read up to the longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, compiler, nn
from torch.library import custom_op
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from engine.inference.decode.kv_cache import KVCache
from engine.inference.tree.dense_attention import capped_attention
from engine.overrides.kernels import DecodeAttention

_NAME = "prune_tui_decode"


class DecodeStep:
    """What the attentions of one step work on, layer after layer: a new token of each slot."""

    def __init__(self, cache: KVCache, kernel: DecodeAttention | None) -> None:
        self._cache = cache
        self._kernel = kernel
        self._reach = 0
        self._layer = 0  # whose attention comes next
        self._masks: dict[int | None, Tensor] = {}

    def begin(self, reach: int) -> None:
        """The next step reads as far as `reach` into the cache."""
        self._reach, self._layer = reach, 0
        self._masks.clear()

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        """query [slots, heads, 1, head_dim], key and value [slots, kv_heads, 1, head_dim] → [slots, 1, heads, …]."""
        cache = self._cache
        keys, values = cache.states[self._layer]
        self._layer += 1
        if self._kernel is not None:
            return self._kernel(
                query, key, value, keys, values, cache.positions, scaling=scaling, window=window, softcap=softcap
            )
        keys[cache.index, :, cache.positions] = key[:, :, 0]
        values[cache.index, :, cache.positions] = value[:, :, 0]
        mask = self._mask(window)
        keys, values = keys[:, :, : self._reach], values[:, :, : self._reach]
        if softcap is not None:
            output = capped_attention(query, keys, values, mask, scaling, softcap)
        else:
            output = scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scaling, enable_gqa=True)
        return output.transpose(1, 2).contiguous()

    def _mask(self, window: int | None) -> Tensor:
        """bool [slots, 1, 1, reach], the same for all layers of a step."""
        if window not in self._masks:
            steps, positions = self._cache.steps[: self._reach], self._cache.positions[:, None]
            sees = steps <= positions
            if window is not None:
                sees &= positions - steps < window
            self._masks[window] = sees[:, None, None]
        return self._masks[window]


# transformers and torch.compile know attention by a name, of whichever model: which step it is for, the pass says.
_step: ContextVar[DecodeStep] = ContextVar("step")


@contextmanager
def decoding(model: PreTrainedModel, step: DecodeStep) -> Iterator[None]:
    """Inside the block each forward pass of the model is a step."""
    usual = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(_NAME)
    before = _step.set(step)
    try:
        yield
    finally:
        _step.reset(before)
        model.set_attn_implementation(usual)


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    attention = _compiled_attention if compiler.is_compiling() else _attention
    return attention(query, key, value, scaling, sliding_window, softcap), None


def _attention(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    return _step.get().attend(query, key, value, scaling, window, softcap)


# An operator, since torch.compile must not look inside: what it works on changes from step to step.
_compiled_attention = custom_op("prune_tui::decode_attention", _attention, mutates_args=())


@_compiled_attention.register_fake
def _(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    slots, heads, length, head_dim = query.shape
    return query.new_empty(slots, length, heads, head_dim)


AttentionInterface.register(_NAME, _attend)
