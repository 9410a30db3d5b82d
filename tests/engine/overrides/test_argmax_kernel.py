"""The kernel finds the largest logit that the library finds, of equals the first. Triton's interpreter runs it."""

from __future__ import annotations

import json

import pytest
import torch

from engine.overrides import reference

pytestmark = pytest.mark.slow

CASES = [(dtype, size) for dtype in ("float32", "float16", "bfloat16") for size in (96, 4096, 10_000, 32_001)]


def is_the_librarys(dtype_name: str, vocab_size: int) -> bool:
    from engine.overrides.argmax_kernel import largest

    torch.manual_seed(0)
    wide = torch.randn(6, vocab_size + 7).to(getattr(torch, dtype_name))
    logits = wide[:, :vocab_size]  # rows that do not follow each other at once
    wide[:, vocab_size:] = 99  # beyond the vocabulary
    logits[2, 7] = logits[2, 80] = 9  # equals in one part of a row
    logits[3, 1] = logits[3, -1] = 9  # and in two
    logits[4] = float("-inf")
    logits[4, vocab_size // 2] = -1e4
    logits[5, -1] = 9
    return torch.equal(largest(logits), reference.argmax(logits))


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{size} of {dtype}" for dtype, size in CASES])
def test_the_largest_is_found(index: int, interpreted: list[bool]) -> None:
    assert interpreted[index]


if __name__ == "__main__":
    print(json.dumps([is_the_librarys(*case) for case in CASES]))
