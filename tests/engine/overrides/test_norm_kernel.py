"""The kernel of a sum and its norm agrees with the library and Llama's norm. Triton's interpreter runs it."""

from __future__ import annotations

import json

import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaRMSNorm

pytestmark = pytest.mark.slow

CASES = {
    f"{pieces} of {size} in {dtype}": (dtype, size, pieces)
    for dtype in ("float32", "float16") for size in (64, 96, 2048) for pieces in (1, 4)
}  # fmt: skip
LARGEST = {"float32": 1e-6, "float16": 1e-3}  # of the norm; of 16 bits at most the last


def gaps(dtype_name: str, size: int, pieces: int) -> tuple[float, float]:
    """Of the sum and of its norm, the largest difference for what is of size 1."""
    from engine.overrides.norm_kernel import sum_and_norm

    torch.manual_seed(0)
    dtype = getattr(torch, dtype_name)
    norm = LlamaRMSNorm(size, 1e-5).to(dtype)
    norm.weight.data = torch.randn(size).to(dtype)
    hidden = (3 * torch.randn(3, 2, size)).to(dtype)
    made = torch.randn(pieces, 3, 2, size)
    made = made.to(dtype) if pieces == 1 else made
    total, normed = sum_and_norm(hidden, made, norm.weight, 1e-5)
    expected = hidden + made.sum(0).to(dtype)
    with torch.no_grad():
        expected_norm = norm(expected)
    off = (normed - expected_norm).abs() / expected_norm.abs().clamp(min=1)
    return (total - expected).abs().max().item(), off.max().item()


@pytest.mark.parametrize("case", CASES)
def test_sum_and_norm_are_those_of_two_steps(case: str, interpreted: dict[str, tuple[float, float]]) -> None:
    off_sum, off_norm = interpreted[case]
    assert off_sum == 0
    assert off_norm <= LARGEST[CASES[case][0]]


if __name__ == "__main__":
    print(json.dumps({name: gaps(*case) for name, case in CASES.items()}))
