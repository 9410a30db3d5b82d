"""The kernel that moves rows puts each where it should be, and touches nothing else. Triton's interpreter runs it."""

from __future__ import annotations

import json

import pytest
import torch

from engine.overrides import reference

pytestmark = pytest.mark.slow

SHAPES = {
    "8 heads of 64": (8, 64),
    "3 heads of 80": (3, 80),
    "one head of 16": (1, 16),
    "more than one block of heads": (70, 64),
}


def is_right(heads: int, head_dim: int) -> list[bool]:
    """Picked in order, put down elsewhere, and put into a cache whose heads lie apart."""
    from engine.overrides.row_kernel import copy_rows, fill_cache

    torch.manual_seed(0)
    source = torch.randn(50, 3 * heads, head_dim)[:, heads : 2 * heads]  # part of a joined projection
    taken, put = torch.randint(0, 50, (37,)), torch.randperm(60)[:37]
    in_order = torch.zeros(37, heads, head_dim)
    copy_rows(source, taken, in_order)
    elsewhere, expected = torch.zeros(2, 60, heads, head_dim)
    copy_rows(source, taken, elsewhere, put)
    reference.copy_rows(source, taken, expected, put)
    cache, filled = torch.zeros(2, 4, heads, 20, head_dim)
    slots, steps = put // 20, put % 20
    slots[0], steps[0] = 3, 19  # the last there is
    fill_cache(source, taken, cache, slots, steps)
    reference.fill_cache(source, taken, filled, slots, steps)
    nothing = torch.zeros(3, heads, head_dim)
    copy_rows(source, taken[:0], nothing)
    return [
        torch.equal(in_order, source[taken]), torch.equal(elsewhere, expected), torch.equal(cache, filled),
        not nothing.any(),
    ]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_are_moved(shape: str, interpreted: dict[str, list[bool]]) -> None:
    assert interpreted[shape] == [True] * 4


if __name__ == "__main__":
    print(json.dumps({name: is_right(*shape) for name, shape in SHAPES.items()}))
