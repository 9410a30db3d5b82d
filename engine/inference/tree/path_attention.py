"""Attention over a packed prefix tree path by path, as the sequences by themselves would have it.

Each path is gathered from the tree, paths of about the same length are put side by side, and PyTorch's own causal
attention runs over them: the call that transformers makes for a batch of sequences. In 16 bits a sequence's result is
therefore the same to the bit, where FlexAttention's tiles, which add up in another order, give another rounding. Shared
tokens are attended to once a path, which costs little beside the layers' matrix products, where they are shared.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engine.inference.tree.sending import sent
from engine.inference.tree.tree import Ints, TreeRow
from engine.overrides.kernels import CopyRows

_AT_ONCE = 2**15  # tokens of paths, padding included, that are attended to together
_MOST_REPEATED = 32  # tokens of paths for one of the row: beyond, tiles that share their reading are much faster


@dataclass(frozen=True, slots=True)
class Paths:
    """Some paths of a row, padded to the same length.

    Attributes:
        tokens: int64 [paths · length], where each path's tokens lie in the row.
        count: of paths.
        own: int64 [m], tokens of the row that these paths are the first to hold.
        at: int64 [m], where they lie among `tokens`.
    """

    tokens: Tensor
    count: int
    own: Tensor
    at: Tensor

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, scaling: float | None, output: Tensor, copy_rows: CopyRows
    ) -> None:
        """Fill in the paths' own tokens: query, output [n, heads, head_dim], key and value [n, kv_heads, head_dim]."""
        q, k, v = (self._gathered(states, copy_rows) for states in (query, key, value))
        found = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=True)
        copy_rows(found.transpose(1, 2).flatten(0, 1), self.at, output, self.own)

    def _gathered(self, states: Tensor, copy_rows: CopyRows) -> Tensor:
        """[n, heads, head_dim] → [paths, heads, length, head_dim], in memory token by token."""
        found = states.new_empty(len(self.tokens), *states.shape[1:])
        copy_rows(states, self.tokens, found, None)
        return found.unflatten(0, (self.count, -1)).transpose(1, 2)


def paths_work(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Whether one kernel does a causal call for such tensors, in 16 bits, where rounding shows."""
    params = torch.backends.cuda.SDPAParams(query, key, value, None, 0.0, True, True)
    can_use = torch.backends.cuda.can_use_flash_attention, torch.backends.cuda.can_use_cudnn_attention
    is_alike = query.shape[-1] == value.shape[-1]
    return is_alike and query.element_size() == 2 and any(kernel(params) for kernel in can_use)


def suits_paths(row: TreeRow, longest: int) -> bool:
    """Whether no path has more than `longest` tokens, and the paths repeat few enough to be gathered one by one."""
    lengths = [len(sequence.tokens) for sequence in row.sequences]
    return max(lengths) <= longest and sum(lengths) <= _MOST_REPEATED * len(row.tokens)


def paths_of(row: TreeRow, device: torch.device) -> list[Paths]:
    """All paths of a row that hold tokens of their own, in groups of about the same length."""
    by_length: dict[int, list[tuple[Ints, int]]] = defaultdict(list)
    for path, shared in zip(row.paths(), row.shared, strict=True):
        if shared < len(path):
            by_length[_padded(len(path))].append((path, shared))
    found = []
    for length, paths in by_length.items():
        start = 0
        while start < len(paths):
            count = _count(len(paths) - start, max(1, _AT_ONCE // length))
            found.append(_group(paths[start : start + count], count, length, device))
            start += count
    return found


def attend_by_paths(
    query: Tensor, key: Tensor, value: Tensor, paths: list[Paths], scaling: float | None, copy_rows: CopyRows
) -> Tensor:
    """query [1, heads, n, head_dim], key and value [1, kv_heads, n, head_dim] → [1, n, heads, head_dim]."""
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    output = query.new_empty(query.shape)
    for some in paths:
        some.attend(query, key, value, scaling, output, copy_rows)
    return output[None]


def _padded(length: int) -> int:
    """The next of a few lengths, since libraries prepare for each shape: an eighth longer at most, beyond 128."""
    step = max(16, 2 ** (length - 1).bit_length() // 8)
    return -(-length // step) * step


def _count(left: int, most: int) -> int:
    """How many paths to take: `most`, or what halving it gives that holds all that are left, as few shapes."""
    while left <= most // 2:
        most //= 2
    return most


def _group(paths: list[tuple[Ints, int]], count: int, length: int, device: torch.device) -> Paths:
    """At most `count` paths, filled up with the row's first token."""
    tokens = np.zeros((count, length), np.int64)
    own, at = [], []
    for index, (path, shared) in enumerate(paths):
        tokens[index, : len(path)] = path
        own.append(path[shared:])
        at.append(np.arange(shared, len(path)) + index * length)
    return Paths(
        tokens=sent(tokens.reshape(-1), device),
        count=count,
        own=sent(np.concatenate(own), device),
        at=sent(np.concatenate(at), device),
    )
