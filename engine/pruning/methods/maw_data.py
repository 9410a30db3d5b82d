"""OptiPFair's data-driven MAW: its peak-to-peak magnitudes of weights, times how much a neuron did."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "weights' magnitude times activity"
FORMULA = "(gate + up + down, each max + |min| as a share of the layer's largest) · ‖h‖"
CITATION = (
    "P. Martra, *Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2*, 2025, "
    "[arXiv 2512.22671](https://arxiv.org/abs/2512.22671), as [OptiPFair](https://github.com/peremartra/optipfair) "
    "0.4.2 computes it from data"
)
NEEDS_ACTIVATIONS = True


def scores(layer: MlpLayer) -> Tensor:
    gate, up, down = _peak_to_peak(layer.gate, 1), _peak_to_peak(layer.up, 1), _peak_to_peak(layer.down, 0)
    return (_share(gate) + _share(up) + _share(down)) * layer.seen.norms.to(gate.device)


def _peak_to_peak(weight: Tensor, dim: int) -> Tensor:
    import torch

    # Extremes are exact in any dtype, so only they need to become float32, not the matrix.
    low, high = torch.aminmax(weight, dim=dim)
    return high.float() + low.float().abs()


def _share(scores: Tensor) -> Tensor:
    return scores / (scores.max() + 1e-8)
