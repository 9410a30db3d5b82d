"""A packed prefix tree holds every sequence, shares every beginning, and lets a token see its ancestors only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.inference.tree.tree import Scored, TreeRow, pack


def scored(tokens: Sequence[int], request: int, continuation: Sequence[int]) -> Scored:
    return Scored(np.array(tokens), ((request, np.array(continuation)),))


def ancestors(row: TreeRow, node: int) -> list[int]:
    """The tokens that a node sees, itself included, in order."""
    seen = [j for j in range(node + 1) if node < row.end[j]]
    assert [int(row.depth[j]) for j in seen] == list(range(len(seen)))
    return [int(row.tokens[j]) for j in seen]


def requests_of(rows: Sequence[TreeRow]) -> dict[int, list[tuple[list[int], int]]]:
    """Request → what each of its targets is predicted from, and the target."""
    found: dict[int, list[tuple[list[int], int]]] = {}
    for row in rows:
        for node, target, owner in zip(row.nodes, row.targets, row.owners, strict=True):
            found.setdefault(int(owner), []).append((ancestors(row, int(node)), int(target)))
    return found


def test_shared_beginnings_are_laid_out_once() -> None:
    [row] = pack([scored([1, 2, 3, 9], 0, [5]), scored([1, 2, 4], 1, [6]), scored([1, 2, 3], 2, [7])], 100)
    assert row.tokens.tolist() == [1, 2, 3, 9, 4]
    assert row.depth.tolist() == [0, 1, 2, 3, 2]
    assert row.end.tolist() == [5, 5, 4, 4, 5]


def test_a_continuation_is_predicted_from_everything_before_it() -> None:
    rows = pack([scored([1, 2, 3, 4], 0, [3, 4, 5]), scored([1, 2, 9], 1, [9, 8])], 100)
    assert requests_of(rows) == {
        0: [([1, 2], 3), ([1, 2, 3], 4), ([1, 2, 3, 4], 5)],
        1: [([1, 2], 9), ([1, 2, 9], 8)],
    }


def test_a_cut_between_rows_repeats_the_beginning() -> None:
    sequences = [scored([1, 2, 3, n], n, [0]) for n in range(4, 9)]
    rows = pack(sequences, 5)
    assert [row.tokens.tolist() for row in rows] == [[1, 2, 3, 4, 5], [1, 2, 3, 6, 7], [1, 2, 3, 8]]
    assert requests_of(rows) == requests_of(pack(sequences, 100))


def test_a_sequence_longer_than_a_row_has_a_row_of_its_own() -> None:
    rows = pack([scored([1] * 9, 0, [2]), scored([3], 1, [4])], 4)
    assert [len(row.tokens) for row in rows] == [9, 1]


def test_a_short_beginning_is_not_worth_sharing() -> None:
    sequences = [
        scored([1, 2, 3, 4], 0, [5]),
        scored([1, 2, 3, 7], 1, [6]),
        scored([1, 9], 2, [8]),
        scored([1], 3, [9]),
    ]
    [row] = pack(sequences, 100, least_shared=3)
    assert row.tokens.tolist() == [1, 1, 2, 3, 4, 7, 1, 9]
    assert requests_of([row]) == requests_of(pack(sequences, 100))


@pytest.mark.parametrize("least_shared", [1, 3])
@pytest.mark.parametrize("max_tokens", [1, 7, 30, 10_000])
def test_random_requests_survive_packing(max_tokens: int, least_shared: int) -> None:
    rng = np.random.default_rng(max_tokens)
    expected: dict[int, list[tuple[list[int], int]]] = {}
    by_tokens: dict[bytes, Scored] = {}
    for request in range(60):
        tokens = rng.integers(1, 3, size=rng.integers(1, 12))
        last = int(rng.integers(1, 3))
        length = int(rng.integers(1, len(tokens) + 1))
        continuation = np.append(tokens, last)[-length:]
        start = len(tokens) + 1 - length
        whole = [*tokens.tolist(), last]
        expected[request] = [(whole[: start + i], whole[start + i]) for i in range(length)]
        known = by_tokens.get(tokens.tobytes(), Scored(tokens, ()))
        by_tokens[tokens.tobytes()] = Scored(tokens, (*known.requests, (request, continuation)))
    rows = pack(list(by_tokens.values()), max_tokens, least_shared=least_shared)
    assert requests_of(rows) == expected
