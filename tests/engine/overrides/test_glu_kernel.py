"""The kernel of silu(gate) · up agrees with the library. Triton's interpreter runs it."""

from __future__ import annotations

import json

import pytest
import torch
from torch.nn.functional import silu

pytestmark = pytest.mark.slow

LARGEST = {"float32": 1e-6, "float16": 1e-3}


def gap(dtype_name: str, tokens: int, size: int) -> float:
    """The largest relative difference from the library's two steps, over numbers of all sizes."""
    from engine.overrides.glu_kernel import silu_product

    torch.manual_seed(0)
    dtype = getattr(torch, dtype_name)
    gate, up = torch.randn(2, tokens, size)
    gate = (gate * torch.logspace(-3, 1.5, size)).to(dtype)
    # As a part of something wider, which is not contiguous.
    up = torch.cat((up, up), 1).to(dtype)[:, :size]
    expected, found = (silu(gate) * up).double(), silu_product(gate, up).double()
    if found.shape != expected.shape or not found.isfinite().all():
        return float("inf")
    return ((found - expected).abs() / expected.abs().clamp(min=1e-4)).max().item()


CASES = [(dtype, tokens, size) for dtype in LARGEST for tokens, size in ((1, 64), (7, 320), (33, 100))]


@pytest.mark.parametrize("index", range(len(CASES)), ids=[", ".join(map(str, case)) for case in CASES])
def test_the_product_is_the_librarys(index: int, interpreted: list[float]) -> None:
    assert interpreted[index] < LARGEST[CASES[index][0]]


if __name__ == "__main__":
    print(json.dumps([gap(*case) for case in CASES]))
