"""A row of a packed tree on the device, and attention among its tokens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask
from torch.nn.functional import scaled_dot_product_attention

from engine.inference.tree.attention import Attention
from engine.inference.tree.dense_attention import Part, attend_part, parts_of
from engine.inference.tree.flex_attention import BLOCK, FlexUnavailableError, block_mask
from engine.inference.tree.path_attention import Paths, attend_by_paths, paths_of
from engine.inference.tree.sending import sent
from engine.inference.tree.tree import TreeRow

# Takes the number of a layer and its keys and values, [1, kv_heads, n, head_dim], which are only lent.
Listener = Callable[[int, Tensor, Tensor], None]


class DeviceRow:
    """A row of a packed tree on the device, with the masks its layers ask for.

    For FlexAttention the row is padded to whole tiles with tokens that see only themselves.

    Attributes:
        listener: is told every layer's keys and values.
        stops: whether the next attention ends the pass, by raising Attended, when it has filled in `attended`.
        attended: what the next attention gives instead of attending.
        is_chain: whether it is a single sequence.
        longest: tokens of its longest sequence.
    """

    def __init__(self, row: TreeRow, device: torch.device, attention: Attention) -> None:
        self.listener: Listener | None = None
        self.stops = False
        self.attended: Tensor | None = None
        self.layer = 0  # of the attention that comes next
        self.longest = int(row.depth.max()) + 1
        self.lengths = attention.lengths
        self._attention = attention
        self._paths: list[Paths] = paths_of(row, device) if attention.takes_paths(row) else []
        self._tiled = attention.still_tiles and not self._paths
        padding = -len(row.tokens) % BLOCK if self._tiled else 0
        self.length = len(row.tokens) + padding
        self._depth = np.pad(row.depth, (0, padding))
        self._end = np.concatenate((row.end, np.arange(len(row.tokens), self.length) + 1))
        self.is_chain = bool((self._end == self.length).all())
        self._device = device
        self.tokens = sent(np.pad(row.tokens, (0, padding)), device)[None]
        self.positions = sent(self._depth, device)[None]
        self.nodes = sent(row.nodes, device)
        self.targets = sent(row.targets, device)
        self._masks: dict[tuple[bool, int | None], Any] = {}

    def make_masks(self) -> None:
        """Ahead of a pass, since a mask cannot be made inside a compiled layer."""
        if self._tiled:
            for window in self._attention.windows:
                self.blocks(window)

    def drop_masks(self) -> None:
        self._masks.clear()

    @property
    def windows(self) -> frozenset[int | None]:
        """The sliding windows that layers have asked for; None is to see everything before."""
        return frozenset(window for _, window in self._masks)

    def parts(self, window: int | None, mask_dtype: torch.dtype) -> list[Part]:
        """The row's queries, block by block; all layers of a model have masks of one dtype."""
        if (False, window) not in self._masks:
            self._masks[False, window] = parts_of(self._depth, self._end, window, self._device, mask_dtype)
        return self._masks[False, window]

    def blocks(self, window: int | None) -> BlockMask:
        """The same as a block-sparse mask for FlexAttention."""
        if (True, window) not in self._masks:
            self._masks[True, window] = block_mask(self._depth, self._end, window, self._device)
        return self._masks[True, window]

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        """query [1, heads, n, head_dim], key and value [1, kv_heads, n, head_dim] → [1, n, heads, head_dim].

        Raises:
            Attended: the row stops here.
        """
        if self.attended is not None:
            return self.attended
        output = self._attend(query, key, value, scaling, window, softcap)
        if self.stops:
            self.attended = output
            raise Attended
        return output

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        if self.listener is not None:
            self.listener(self.layer, key, value)
        self.layer += 1
        if self._paths:
            return attend_by_paths(query, key, value, self._paths, scaling, self._attention.overrides.copy_rows)
        if self._tiled:
            with suppress(FlexUnavailableError):  # which was said; this row found it out, later ones are not for tiles
                output = self._attention.flex(query, key, value, self.blocks(window), scaling, softcap)
                return output.transpose(1, 2).contiguous()
        if softcap is None and window is None and self.is_chain:
            output = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=True)
            return output.transpose(1, 2).contiguous()
        output = query.new_empty(*query.shape[:1], self.length, query.shape[1], value.shape[-1])
        for part in self.parts(window, query.dtype if softcap is None else torch.bool):
            output[:, part.queries] = attend_part(query, key, value, part, scaling, softcap).transpose(1, 2)
        return output


class Attended(Exception):
    """A pass was ended after an attention."""
