"""Cholesky factors of matrices that rounding may have left not quite positive definite."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import UserError
from engine.pruning.layer import DAMPING

_ATTEMPTS = 4


def cholesky(moments: Tensor) -> Tensor:
    """The lower factor of a damped matrix of second moments. `moments` is written to where more damping is needed.

    Raises:
        UserError: ten thousand times the usual damping does not make it positive definite.
    """
    more = DAMPING * float(moments.diagonal().mean())
    for _ in range(_ATTEMPTS):
        factor, failed = torch.linalg.cholesky_ex(moments)
        if not int(failed):
            return factor
        more *= 10
        moments.diagonal().add_(more)
    raise UserError(
        "What the neurons did on the calibration text cannot be factorised, so nothing can be repaired: calibrate on "
        "more or other text, or choose --repair none."
    )
