"""Attention over packed prefix trees, registered with transformers as an attention function of our own.

On a CUDA GPU in 16 bits it is the library's causal attention, path by path, as long as the paths are not too many, and
otherwise FlexAttention with a block-sparse mask: a row may hold a hundred thousand tokens. Elsewhere it is scaled
dot-product attention, a block of queries at a time, each with the keys that its tokens may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import flex_attention as flex_library
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from engine.inference.lengths import NO_MATTER, Lengths
from engine.inference.tree.path_attention import Paths, attend_by_paths, paths_of, paths_work, suits_paths
from engine.inference.tree.tree import Ints, TreeRow

_NAME = "prune_tui_tree"
# Takes the number of a layer and its keys and values, [1, kv_heads, n, head_dim], which are only lent.
Listener = Callable[[int, Tensor, Tensor], None]
_BLOCK = 128  # FlexAttention's tile
_QUERIES = 64  # of a block where there is no FlexAttention
_NO_WINDOW = 2**62  # tokens


@dataclass(frozen=True, slots=True)
class Attention:
    """How the rows of one model are attended to.

    Attributes:
        tiles: by FlexAttention, for which long rows cost no more than short ones; otherwise masked densely.
        windows: the sliding windows of its layers; None is to see everything before. Known with `tiles` only.
        by_paths: path by path, where that sees the same and the paths are not too many.
        lengths: which sequences may share a row.
    """

    tiles: bool
    windows: frozenset[int | None] = frozenset()
    by_paths: bool = False
    lengths: Lengths = NO_MATTER

    def takes_paths(self, row: TreeRow) -> bool:
        return self.by_paths and suits_paths(row, min(window or _NO_WINDOW for window in self.windows))


DENSE = Attention(tiles=False)


@dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive tokens of a row, the m tokens that any of them sees, and which sees which: bool [queries, m]."""

    queries: slice
    keys: Tensor
    sees: Tensor


def visible(end: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Block by block, tokens of a row and all that one of them may see; `end` is where each token's subtree stops."""
    for start in range(0, len(end), _QUERIES):
        queries = np.arange(start, min(start + _QUERIES, len(end)))
        yield queries, np.flatnonzero(end[: queries[-1] + 1] > start)


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
        self._tiled = attention.tiles and not self._paths
        padding = -len(row.tokens) % _BLOCK if self._tiled else 0
        self.length = len(row.tokens) + padding
        self._depth = np.pad(row.depth, (0, padding))
        self._end = np.concatenate((row.end, np.arange(len(row.tokens), self.length) + 1))
        self.is_chain = bool((self._end == self.length).all())
        self._device = device
        self.tokens = torch.from_numpy(np.pad(row.tokens, (0, padding))).to(device)[None]
        self.positions = torch.from_numpy(self._depth).to(device)[None]
        self.nodes = torch.from_numpy(row.nodes).to(device)
        self.targets = torch.from_numpy(row.targets).to(device)
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

    def parts(self, window: int | None) -> list[Part]:
        """The row's queries, block by block."""
        if (False, window) not in self._masks:
            self._masks[False, window] = [self._part(queries, keys, window) for queries, keys in visible(self._end)]
        return self._masks[False, window]

    def _part(self, queries: Ints, keys: Ints, window: int | None) -> Part:
        sees = (keys <= queries[:, None]) & (queries[:, None] < self._end[keys])
        if window is not None:
            sees &= self._depth[queries][:, None] - self._depth[keys] < window
        needed = sees.any(0)
        index = torch.from_numpy(keys[needed]).to(self._device)
        mask = torch.from_numpy(sees[:, needed]).to(self._device)
        return Part(slice(int(queries[0]), int(queries[-1]) + 1), index, mask)

    def blocks(self, window: int | None) -> BlockMask:
        """The same as a block-sparse mask for FlexAttention."""
        if (True, window) not in self._masks:
            self._masks[True, window] = _block_mask(self._depth, self._end, window, self._device)
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
            return attend_by_paths(query, key, value, self._paths, scaling)
        if self._tiled:
            output = _compiled_flex(query)(query, key, value, self.blocks(window), scaling, softcap)
        elif softcap is None and window is None and self.is_chain:
            output = scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=True)
        else:
            parts = self.parts(window)
            output = torch.cat([_attend_part(query, key, value, part, scaling, softcap) for part in parts], 2)
        return output.transpose(1, 2).contiguous()


class Attended(Exception):
    """A pass was ended after an attention."""


class _Trial(DeviceRow):
    """A row that finds out whether its model's attention can be done path by path."""

    by_paths = True

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        self.by_paths &= softcap is None and paths_work(query, key, value)
        return super().attend(query, key, value, scaling, window, softcap)


def best_attention(model: PreTrainedModel) -> tuple[Attention, str | None]:
    """The fastest that works with this model, and, where that is the dense one, why.

    Trying compiles FlexAttention, which takes seconds.
    """
    lengths = Lengths.of(model)
    dense = Attention(tiles=False, lengths=lengths)
    if model.device.type != "cuda":
        return dense, f"FlexAttention needs a CUDA GPU, and the model is on {model.device}"
    token = np.zeros(_BLOCK, dtype=np.int64)
    row = TreeRow(token, token, token + _BLOCK, token[:1], token[:1], token[:1], (), ())
    trial = _Trial(row, model.device, Attention(tiles=True, lengths=lengths))
    probe: Any = model
    try:
        with torch.no_grad(), attending(model, trial):
            probe.base_model(trial.tokens, position_ids=trial.positions, use_cache=False)
    except torch.AcceleratorError:
        raise
    except Exception as error:  # no compiler, no Triton, a head size it cannot do: many libraries' many errors
        return dense, f"FlexAttention does not work here ({type(error).__name__}: {str(error).splitlines()[0]})"
    return Attention(tiles=True, windows=trial.windows, by_paths=trial.by_paths, lengths=lengths), None


@contextmanager
def attending(model: PreTrainedModel, row: DeviceRow) -> Iterator[None]:
    """Inside the block the model's forward pass takes this row's tokens at this row's positions."""
    global _row
    row.make_masks()
    usual = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(_NAME)
    _row = row
    row.layer = 0
    try:
        with row.lengths.pinned(row.longest):
            yield
    finally:
        _row = None
        model.set_attn_implementation(usual)


# transformers knows attention functions by name, so the row they work on is known to the module.
_row: DeviceRow | None = None


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
    return _tree_attention(query, key, value, scaling, sliding_window, softcap), None


# An operator of its own, since torch.compile must not look inside: what it works on changes from row to row.
@torch.library.custom_op("prune_tui::tree_attention", mutates_args=())
def _tree_attention(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    assert _row is not None, "the tree's attention was called outside of its block"
    return _row.attend(query, key, value, scaling, window, softcap)


def _attend_part(
    query: Tensor, key: Tensor, value: Tensor, part: Part, scaling: float | None, softcap: float | None
) -> Tensor:
    query, key, value = query[:, :, part.queries], key[:, :, part.keys], value[:, :, part.keys]
    if softcap is not None:
        return capped_attention(query, key, value, part.sees, scaling, softcap)
    return scaled_dot_product_attention(query, key, value, attn_mask=part.sees, scale=scaling, enable_gqa=True)


@_tree_attention.register_fake
def _(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    batch, heads, length, _ = query.shape
    return query.new_empty(batch, length, heads, value.shape[-1])


AttentionInterface.register(_NAME, _attend)


def capped_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scaling: float | None, softcap: float) -> Tensor:
    """Gemma 2's attention, whose scores are squeezed into ±softcap; `mask` is true where q may see k."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = q @ k.transpose(2, 3) * (q.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = torch.tanh(scores / softcap) * softcap
    return scores.masked_fill(~mask, float("-inf")).softmax(-1, dtype=torch.float32).to(q.dtype) @ v


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


_flex: Callable[..., Tensor] | None = None


def _compiled_flex(query: Tensor) -> Callable[..., Tensor]:
    """The options are those for the first query; a process has one model."""
    global _flex
    if _flex is None:
        options: Any = _kernel_options(query)

        def attend(
            q: Tensor, k: Tensor, v: Tensor, blocks: BlockMask, scaling: float | None, softcap: float | None
        ) -> Tensor:
            def cap(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
                return torch.tanh(score / softcap) * softcap  # pyright: ignore[reportOperatorIssue]

            return flex_attention(  # pyright: ignore[reportReturnType]
                q, k, v, score_mod=None if softcap is None else cap, block_mask=blocks, scale=scaling, enable_gqa=True,
                kernel_options=options,
            )  # fmt: skip

        _flex = torch.compile(attend, dynamic=True)
    return _flex


def _block_mask(
    depth: np.ndarray[Any, Any], end: np.ndarray[Any, Any], window: int | None, device: torch.device
) -> BlockMask:
    """Which tiles hold something to see, and which of them nothing hidden, from each tile's extremes alone."""
    tiles = len(end) // _BLOCK
    ends, depths = end.reshape(tiles, _BLOCK), depth.reshape(tiles, _BLOCK)
    first = np.arange(tiles) * _BLOCK
    last = first + _BLOCK - 1
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
        return torch.from_numpy(counts).to(device)[None, None], torch.from_numpy(order).to(device)[None, None]

    end_of, depth_of = torch.from_numpy(end).to(device), torch.from_numpy(depth).to(device)
    if window is None:

        def sees(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return (j <= i) & (i < end_of[j])
    else:

        def sees(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return (j <= i) & (i < end_of[j]) & (depth_of[i] - depth_of[j] < window)

    return BlockMask.from_kv_blocks(
        *listed(partial), *listed(every), BLOCK_SIZE=_BLOCK, mask_mod=sees, seq_lengths=(len(end), len(end))
    )
