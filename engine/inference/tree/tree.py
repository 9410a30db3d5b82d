"""Packed prefix trees: many token sequences in one row, every shared beginning computed once.

Sequences in sorted order form a trie. Laid out depth first in one row, each token keeps its depth as its
position and the index where its subtree ends; token i may see token j exactly when j ≤ i < end[j]. One forward
pass over the row then scores every sequence: few-shot prefixes, a question's context, repeated requests and
choices with equal beginnings are all shared by the same rule, and nothing is padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """A sequence to run the model on. Each request is scored on its last tokens: (index, continuation)."""

    tokens: Ints
    requests: tuple[tuple[int, Ints], ...]


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One row of a packed tree of n tokens, m of whose next tokens are asked for.

    tokens, depth, end: [n]. nodes, targets, owners: [m]: the node that predicts, the token it should predict,
    and the index of the request that asks. `sequences` are those the row holds, to pack them anew; of each,
    `shared` says how many of its first tokens are nodes of the sequence before.
    """

    tokens: Ints
    depth: Ints
    end: Ints
    nodes: Ints
    targets: Ints
    owners: Ints
    sequences: Sequence[Scored]
    shared: Sequence[int]

    def paths(self) -> list[Ints]:
        """The nodes of each sequence's tokens."""
        found: list[Ints] = []
        path = np.empty(0, dtype=np.int64)
        start = 0
        for sequence, shared in zip(self.sequences, self.shared, strict=True):
            end = start + len(sequence.tokens) - shared
            path = np.concatenate((path[:shared], np.arange(start, end)))
            found.append(path)
            start = end
        return found


def pack(sequences: Sequence[Scored], max_tokens: int, *, least_shared: int = 1) -> list[TreeRow]:
    """Lay sequences out in rows of at most `max_tokens`; a longer sequence gets a row of its own.

    A cut between rows repeats the beginning it falls into, so a row should hold several of the longest. A beginning of
    less than `least_shared` tokens is not shared.
    """
    # Big-endian bytes sort as the tokens do, and compare at memcmp's speed.
    order = sorted(range(len(sequences)), key=lambda index: sequences[index].tokens.astype(">i8").tobytes())
    rows: list[TreeRow] = []
    row = _Row(least_shared)
    for index in order:
        sequence = sequences[index]
        shared = row.shared(sequence.tokens)
        if row.length and row.length + len(sequence.tokens) - shared > max_tokens:
            rows.append(row.finish())
            row, shared = _Row(least_shared), 0
        row.add(sequence, shared)
    if row.length:
        rows.append(row.finish())
    return rows


class _Row:
    """A row under construction; the last sequence's path through the tree stays open."""

    def __init__(self, least_shared: int) -> None:
        self.length = 0
        self._least_shared = least_shared
        self._sequences: list[Scored] = []
        self._shared_counts: list[int] = []
        self._closed: list[tuple[Ints, int]] = []  # nodes, and where the subtree of each ends
        self._nodes: list[Ints] = []
        self._targets: list[Ints] = []
        self._owners: list[int] = []
        self._open = np.empty(0, dtype=np.int64)  # tokens of the last sequence
        self._path = np.empty(0, dtype=np.int64)  # and their nodes

    def shared(self, tokens: Ints) -> int:
        """How many of the first tokens are those of the sequence before."""
        both = min(len(tokens), len(self._open))
        if both < self._least_shared:
            return 0
        differs = tokens[:both] != self._open[:both]
        first = int(differs.argmax())
        shared = first if differs[first] else both
        return shared if shared >= self._least_shared else 0

    def add(self, sequence: Scored, shared: int) -> None:
        """`shared` is what `shared` says of its tokens."""
        count = len(sequence.tokens)
        self._closed.append((self._path[shared:], self.length))
        length = self.length + count - shared
        self._path = np.concatenate((self._path[:shared], np.arange(self.length, length)))
        self._open = sequence.tokens
        self._sequences.append(sequence)
        self._shared_counts.append(shared)
        self.length = length
        for index, continuation in sequence.requests:
            self._nodes.append(self._path[count - len(continuation) :])
            self._targets.append(continuation)
            self._owners.append(index)

    def finish(self) -> TreeRow:
        shared = np.array(self._shared_counts)
        new = np.array([len(sequence.tokens) for sequence in self._sequences]) - shared
        before = np.cumsum(new) - new  # the first new node of each sequence
        end = np.full(self.length, self.length)
        nodes, at = zip(*self._closed, strict=True)
        end[np.concatenate(nodes)] = np.repeat(at, list(map(len, nodes)))
        return TreeRow(
            tokens=np.concatenate(
                [sequence.tokens[of:] for sequence, of in zip(self._sequences, self._shared_counts, strict=True)]
            ),
            depth=np.arange(self.length) - np.repeat(before - shared, new),
            end=end,
            nodes=np.concatenate(self._nodes),
            targets=np.concatenate(self._targets),
            owners=np.repeat(self._owners, list(map(len, self._targets))),
            sequences=self._sequences,
            shared=self._shared_counts,
        )
