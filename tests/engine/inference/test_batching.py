"""Batches hold as many tokens as they may, and shrink when the memory does not hold them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from engine.inference.batching import Batcher, is_out_of_memory


def run(batcher: Batcher, rows: list[int], fits: int = 10**9) -> list[list[int]]:
    """Batches that ran; one of more than `fits` padded tokens runs out of memory."""
    done: list[list[int]] = []

    def work(batch: Sequence[int]) -> None:
        if len(batch) * batch[0] > fits:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        done.append(list(batch))

    batcher.run(rows, lambda row: row, work)
    return done


def test_a_batch_is_filled_up_to_its_tokens_counting_the_padding() -> None:
    assert run(Batcher(20), [10, 9, 8, 4, 4, 1]) == [[10, 9], [8, 4], [4, 1]]


def test_a_row_longer_than_the_batch_runs_alone() -> None:
    assert run(Batcher(5), [10, 9, 2, 1]) == [[10], [9], [2, 1]]


def test_running_out_of_memory_halves_the_batch_for_good_and_loses_no_row() -> None:
    batcher = Batcher(80)
    assert run(batcher, [10] * 9, fits=25) == [[10, 10], [10, 10], [10, 10], [10, 10], [10]]
    assert batcher.tokens == 20
    assert run(batcher, [10] * 3, fits=25) == [[10, 10], [10]]


def test_a_single_row_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        run(Batcher(80), [30, 10], fits=25)


def test_other_errors_are_not_taken_for_a_full_memory() -> None:
    def work(batch: Sequence[int]) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        Batcher(80).run([10, 10], lambda row: row, work)


def test_the_hosts_memory_counts_as_well() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"))
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
