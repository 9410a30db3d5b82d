"""Matrix products of few rows, as a step of decoding has them, cut so that all of a GPU works on them.

A GPU's multiprocessors take a tile of the result each. The product of 256 rows with a matrix to 2,048 columns has 32
tiles of 128 × 128, and an H200 132 multiprocessors: cut into four where it adds up, it took 14 µs instead of 22.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import linear

FEW = 640  # rows; more of them have tiles enough
_PIECES = 4


def product_in_pieces(rows: Tensor, weight: Tensor) -> Tensor:
    """rows [n, k] times weight [m, k] transposed, as pieces that have yet to be added up: [pieces, n, m].

    There is one piece where there is nothing to gain. Several are in float32, so that nothing is rounded twice.
    """
    if not _is_worth_it(rows) or rows.shape[1] % (8 * _PIECES):
        return linear(rows, weight)[None]
    left, right = (matrix.unflatten(1, (_PIECES, -1)) for matrix in (rows, weight))
    return torch.bmm(left.transpose(0, 1), right.permute(1, 2, 0), out_dtype=torch.float32)


def two_products(rows: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """rows [n, k] times two weights [m, k] transposed, in one go if they lie in one tensor and the rows are few."""
    if _is_worth_it(rows) and first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr():
        step = second.storage_offset() - first.storage_offset()
        both = first.as_strided((2, *first.shape), (step, *first.stride()))
        made = torch.bmm(rows.expand(2, *rows.shape), both.transpose(1, 2))
        return made[0], made[1]
    return linear(rows, first), linear(rows, second)


def _is_worth_it(rows: Tensor) -> bool:
    # AMD's library is not known to give float32 from 16 bits.
    return rows.is_cuda and rows.itemsize == 2 and len(rows) <= FEW and torch.version.hip is None
