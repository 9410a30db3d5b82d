"""What a forward pass takes, and the batch budget that follows from what is free."""

from __future__ import annotations

import pytest

from engine.planning.memory import CPU_TOKENS, GPU_TOKENS, batch_tokens, working_bytes

GIB = 2**30
LLAMA_1B = {"hidden_size": 2048, "intermediate_size": 8192}


def test_the_peak_that_was_measured_on_an_h200_is_foretold() -> None:
    working = working_bytes(2**17, **LLAMA_1B, vocab_size=128_256, itemsize=2, fused=False)
    assert working / GIB == pytest.approx(10.14 - 2.30, rel=0.03)


def test_the_peaks_that_were_measured_on_a_cpu_are_foretold() -> None:
    """Two layers, 4096 tokens, float32: one with a vocabulary whose logits outweigh the MLPs, one without."""
    shape = {"hidden_size": 1024, "intermediate_size": 4096, "itemsize": 4, "fused": False}
    assert working_bytes(CPU_TOKENS, **shape, vocab_size=64_000) / GIB == pytest.approx(2.09, rel=0.1)
    assert working_bytes(CPU_TOKENS, **shape, vocab_size=1_000) / GIB == pytest.approx(0.31, rel=0.2)


def test_gate_and_up_in_one_tensor_are_joined_by_a_copy() -> None:
    shape = {"hidden_size": 3072, "intermediate_size": 8192, "vocab_size": 32_064, "itemsize": 2}
    apart, joined = (working_bytes(GPU_TOKENS, **shape, fused=fused) for fused in (False, True))
    assert joined - apart == GPU_TOKENS * 8192 * 2


def test_the_logits_that_exist_at_a_time_are_bounded() -> None:
    shape = {"hidden_size": 64, "intermediate_size": 64, "vocab_size": 2**18, "itemsize": 2, "fused": False}
    assert working_bytes(GPU_TOKENS, **shape) < 2.6 * GIB


@pytest.mark.parametrize(
    ("free", "tokens"), [(139 * GIB, GPU_TOKENS), (8 * GIB, 24_576), (2 * GIB, 256)], ids=["large", "small", "none"]
)
def test_the_batch_budget_follows_the_free_memory_within_bounds(free: int, tokens: int) -> None:
    assert batch_tokens(free, **LLAMA_1B, itemsize=2) == tokens
