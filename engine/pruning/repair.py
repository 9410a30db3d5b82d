"""What makes up for neurons that go: other columns, or another bias, of down for those that stay.

Least squares: a layer computes down(h). Of the neurons K that stay, the columns W that come closest to the whole of it
on calibration text are W = D:K + D:R HRK HKK⁻¹, where D are down's own columns, R the neurons that go and
H = Σ h hᵀ + λI: ridge regression that shrinks towards what down was. With H in the order of the neurons and H = L Lᵀ,
the leading block of L is the factor of HKK for every width, and W solves (W − D:K) LKK = D:R LRK.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from engine.pruning.factor import cholesky
from engine.pruning.layer import MlpLayer

LEAST_SQUARES = "lsq"


class Repair(ABC):
    """One layer's repair for all its widths.

    Attributes:
        down: [hidden_size, intermediate_size], down's own columns in the order in which neurons are kept.
        bias: [hidden_size], down's own; None where it has none.
    """

    def __init__(self, layer: MlpLayer, order: Tensor, keep_on: torch.device) -> None:
        self.down = layer.down[:, order].to(keep_on)
        self.bias = None if layer.down_bias is None else layer.down_bias.to(keep_on, copy=True)
        self._means = layer.seen.means[order].to(keep_on)
        self._device = layer.down.device

    @abstractmethod
    def weight(self, kept: int) -> Tensor:
        """The columns of the first `kept` neurons, not of all: float32 [hidden_size, kept], on the model's device."""

    def bias_beside(self, weight: Tensor) -> Tensor | None:
        """The bias with which the output's mean is what it was, beside columns that `weight` returned."""
        if self.bias is None:
            return None
        means, kept = self._means.to(weight), weight.shape[1]
        return self.bias.to(weight) + self.down.to(weight) @ means - weight @ means[:kept]


class LeastSquares(Repair):
    """Columns that come closest to the unpruned layer's output; beside a bias, with an intercept.

    Args:
        layer: the unpruned layer with its activations, its neurons still in their own order.
        order: int64 [intermediate_size], the neurons in the order in which they are kept.
        keep_on: where the factor waits between widths; it takes intermediate_size² float32 values.

    Raises:
        UserError: no neuron of the layer ever did anything.
    """

    def __init__(self, layer: MlpLayer, order: Tensor, keep_on: torch.device) -> None:
        order = order.to(layer.down.device)
        super().__init__(layer, order, keep_on)
        moments = layer.moments()
        self._factor = _kept(cholesky(moments[order[:, None], order]).float(), keep_on)

    def weight(self, kept: int) -> Tensor:
        factor = self._factor[:, :kept].to(self._device)
        down = self.down.to(factor)
        missing = down[:, kept:] @ factor[kept:]
        change = torch.linalg.solve_triangular(factor[:kept], missing, upper=False, left=False)
        return change.add_(down[:, :kept])


class KeptMeans(Repair):
    """FLAP's: columns as they are, and what removed neurons did on average in the bias."""

    def weight(self, kept: int) -> Tensor:
        return self.down[:, :kept].to(self._device, torch.float32)


def _kept(factor: Tensor, device: torch.device) -> Tensor:
    """On a GPU, or in main memory in pages that a GPU reads from by itself."""
    if device.type != "cpu" or factor.device.type == "cpu":
        return factor.to(device)
    return torch.empty(factor.shape, dtype=factor.dtype, device=device, pin_memory=True).copy_(factor)
