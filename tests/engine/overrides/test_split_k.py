"""Products of few rows are cut up and joined without a change to what they give."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear

from engine.overrides import split_k
from engine.overrides.split_k import product_in_pieces, two_products


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """Everything is worth it, and batched products, whose shapes are noted, know an output type, as only CUDA's do."""
    seen: list[torch.Size] = []
    usual = torch.bmm

    def bmm(left: Tensor, right: Tensor, **options: Any) -> Tensor:
        assert options in ({}, {"out_dtype": torch.float32})
        seen.append(left.shape)
        return usual(left.float(), right.float()) if options else usual(left, right)

    monkeypatch.setattr(torch, "bmm", bmm)
    monkeypatch.setattr(split_k, "_is_worth_it", lambda rows: True)
    return seen


def test_pieces_add_up_to_the_product(as_on_a_gpu: list[torch.Size]) -> None:
    torch.manual_seed(0)
    rows, wide = torch.randn(5, 96, dtype=torch.bfloat16), torch.randn(7, 128, dtype=torch.bfloat16)
    weight = wide[:, :96]  # narrowed, as a pruned down projection
    pieces = product_in_pieces(rows, weight)
    assert as_on_a_gpu == [(4, 5, 24)]
    assert pieces.dtype == torch.float32
    torch.testing.assert_close(pieces.sum(0), rows.float() @ weight.float().T)


def test_a_size_that_cannot_be_cut_stays_whole(as_on_a_gpu: list[torch.Size]) -> None:
    rows, weight = torch.randn(5, 40), torch.randn(7, 40)
    torch.testing.assert_close(product_in_pieces(rows, weight), linear(rows, weight)[None])
    assert as_on_a_gpu == []


def test_many_rows_and_a_cpu_gain_nothing() -> None:
    rows, weight = torch.randn(5, 96), torch.randn(7, 96)
    assert torch.equal(product_in_pieces(rows, weight), linear(rows, weight)[None])


def test_weights_of_one_tensor_are_asked_in_one_go_at_any_width(as_on_a_gpu: list[torch.Size]) -> None:
    both, rows = torch.randn(2, 48, 16), torch.randn(5, 16)
    for width in (48, 24):
        made = two_products(rows, both[0, :width], both[1, :width])
        torch.testing.assert_close(made, (linear(rows, both[0, :width]), linear(rows, both[1, :width])))
    assert as_on_a_gpu == [(2, 5, 16)] * 2


def test_weights_that_lie_apart_are_asked_one_by_one(as_on_a_gpu: list[torch.Size]) -> None:
    first, second, rows = torch.randn(48, 16), torch.randn(48, 16), torch.randn(5, 16)
    made = two_products(rows, first, second)
    torch.testing.assert_close(made, (linear(rows, first), linear(rows, second)))
    assert as_on_a_gpu == []
