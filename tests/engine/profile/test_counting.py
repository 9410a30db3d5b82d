"""Tokens, operations and bytes, by hand."""

from __future__ import annotations

import pytest

from engine.planning.profiling import NAMED, Workload
from engine.profile.counting import (
    Shape,
    Work,
    decode_steps,
    limit,
    mean_context,
    prefill_work,
    step_work,
    tokens_in,
    tokens_out,
)

SMALL = Shape(body=100, head=20, cache_values=8, attended=6, itemsize=2)


def test_the_first_new_token_is_the_prefills() -> None:
    request = Workload.plain(4, 128, 32)
    assert (tokens_in(request, 4), tokens_out(request, 4), decode_steps(request)) == (512, 128, 31)
    assert mean_context(Workload.plain(1, 10, 4)) == 11  # its three steps look back on 10, 11 and 12 tokens


def test_a_prefill_multiplies_every_token_and_takes_logits_of_the_last() -> None:
    found = prefill_work(SMALL, prompt=5, batch=3)
    assert found.operations == 2 * 100 * 15 + 2 * 20 * 3 + 2 * 6 * 3 * 25
    assert found.bytes == (100 + 20) * 2 + 3 * 5 * 8 * 2


def test_a_step_reads_all_weights_once_and_each_requests_past() -> None:
    found = step_work(SMALL, context=10, batch=3)
    assert found.operations == 2 * 120 * 3 + 4 * 6 * 3 * 10
    assert found.bytes == 240 + 3 * 10 * 8 * 2


def test_the_limit_is_the_slower_of_copying_and_multiplying() -> None:
    work = Work(operations=100, bytes=50)
    found = limit(work, seconds=20, copy_rate=10, matrix_rate=10)
    assert found is not None
    assert (found.share, found.by) == (pytest.approx(0.5), "matrix")
    found = limit(work, seconds=20, copy_rate=5, matrix_rate=100)
    assert found is not None
    assert (found.share, found.by) == (pytest.approx(0.5), "copy")
    assert limit(work, seconds=20, copy_rate=None, matrix_rate=10) is None


def test_the_studys_workloads_have_its_batches_and_new_tokens() -> None:
    assert {name: (one.batch, one.new_tokens) for name, one in NAMED.items()} == {
        "hellaswag_latency_b1": (1, 20), "mmlu_latency_b1": (1, 50), "ifeval_latency_b1": (1, 150),
        "hellaswag_throughput_b8": (8, 20), "mmlu_throughput_b8": (8, 50), "ifeval_throughput_b8": (8, 150),
    }  # fmt: skip
