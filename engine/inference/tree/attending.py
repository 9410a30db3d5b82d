"""A model's forward pass over a row of a packed tree: an attention function of ours, registered with transformers.

On a CUDA GPU in 16 bits it is the library's causal attention, path by path, as long as the paths are not too many, and
otherwise FlexAttention with a block-sparse mask. Elsewhere it is scaled dot-product attention.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, compiler, nn
from torch.library import custom_op
from transformers import AttentionInterface, PreTrainedModel

from engine.inference.tree.device_row import DeviceRow

_NAME = "prune_tui_tree"
# transformers and torch.compile know attention by a name, of whichever model: which row it is for, the pass says.
_row: ContextVar[DeviceRow] = ContextVar("row")


@contextmanager
def attending(model: PreTrainedModel, row: DeviceRow) -> Iterator[None]:
    """Inside the block the model's forward pass takes this row's tokens at this row's positions."""
    row.make_masks()
    usual = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(_NAME)
    before = _row.set(row)
    row.layer = 0
    try:
        with row.lengths.pinned(row.longest):
            yield
    finally:
        _row.reset(before)
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
    s_aux: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """query [1, heads, n, head_dim], key and value [1, kv_heads, n, head_dim] → [1, n, heads, head_dim]."""
    if s_aux is not None:
        raise NotImplementedError("attention sinks are not supported")
    if attention_mask is not None:
        raise NotImplementedError("masks that the model makes for itself are not supported")
    attention = _compiled_attention if compiler.is_compiling() else _attention
    return attention(query, key, value, scaling, sliding_window, softcap), None


def _attention(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    return _row.get().attend(query, key, value, scaling, window, softcap)


# An operator, since torch.compile must not look inside: what it works on changes from row to row.
_compiled_attention = custom_op("prune_tui::tree_attention", _attention, mutates_args=())


@_compiled_attention.register_fake
def _(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    batch, heads, length, _ = query.shape
    return query.new_empty(batch, length, heads, value.shape[-1])


AttentionInterface.register(_NAME, _attend)
