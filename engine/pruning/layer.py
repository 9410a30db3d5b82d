"""What a pruning method sees of one layer: weights, and what its neurons did on calibration text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

DAMPING = 0.01
"""λ, as a share of the mean of the diagonal that it is added to."""


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

    @property
    def norms(self) -> Tensor:
        """‖h_j‖ over all tokens, [intermediate_size]."""
        return self.gram.diagonal().clamp(min=0).sqrt()

    @property
    def means(self) -> Tensor:
        """h̄_j, [intermediate_size]."""
        return self.total / self.tokens

    @property
    def variances(self) -> Tensor:
        """var(h_j), unbiased, [intermediate_size]."""
        deviations = self.gram.diagonal() - self.total * self.means
        return deviations.clamp(min=0) / max(1, self.tokens - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpLayer:
    """The GLU MLP of one decoder layer, down(act(gate x) · up x), in the unpruned model. Not to be written to.

    Attributes:
        index: the layer's number, from 0.
        gate, up: [intermediate_size, hidden_size], in the model's dtype, on its device.
        down: [hidden_size, intermediate_size].
        seed: for methods that draw at random.
        down_bias: [hidden_size], None where down has none.
        activations: None where the method does not need any.
    """

    index: int
    gate: Tensor
    up: Tensor
    down: Tensor
    seed: int
    down_bias: Tensor | None = None
    activations: Activations | None = None

    @property
    def seen(self) -> Activations:
        """The activations, for methods that declare that they need them."""
        if self.activations is None:
            raise ValueError(f"layer {self.index} was given without activations")
        return self.activations

    def moments(self) -> Tensor:
        """H = Σ h hᵀ + λI, [intermediate_size, intermediate_size]; of h − h̄ where down has a bias to take the means up.

        A tensor of its own: in float64 on a CPU, where that costs little, else in float32.

        Raises:
            UserError: no neuron ever did anything, so there is nothing to fit.
        """
        seen = self.seen
        moments = seen.gram.double() if seen.gram.device.type == "cpu" else seen.gram.clone()
        if self.down_bias is not None:
            total = seen.total.to(moments)
            moments.addr_(total, total / seen.tokens, alpha=-1)
        mean = moments.diagonal().mean()
        if not float(mean) > 0:
            raise UserError(
                f"The neurons of layer {self.index} are silent on the calibration text, so nothing can be told from "
                "them: calibrate on other text, or choose a method that looks at weights and --repair none."
            )
        moments.diagonal().add_(DAMPING * mean)
        return moments
