"""What a pruning method sees of one layer: weights, and what its neurons did on calibration text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Activations:
    """The neurons' outputs h = act(gate x) · up x, summed over the tokens of calibration text, in float32.

    Enough for norms, means and variances, and for least squares.

    Attributes:
        tokens: how many there were.
        total: Σ h, [intermediate_size].
        gram: Σ h hᵀ, [intermediate_size, intermediate_size].
    """

    tokens: int
    total: Tensor
    gram: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpLayer:
    """The GLU MLP of one decoder layer, down(act(gate x) · up x), in the unpruned model. Not to be written to.

    Attributes:
        index: the layer's number, from 0.
        gate, up: [intermediate_size, hidden_size], in the model's dtype, on its device.
        down: [hidden_size, intermediate_size].
        seed: for methods that draw at random.
        activations: None where the method does not need any.
    """

    index: int
    gate: Tensor
    up: Tensor
    down: Tensor
    seed: int
    activations: Activations | None = None
