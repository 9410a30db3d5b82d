"""Maximum absolute weight, the method that the study settles on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "maximum absolute weight"
FORMULA = "max + |min| of its gate and up weights"
CITATION = (
    "P. Martra, *Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2*, 2025, "
    "[arXiv 2512.22671](https://arxiv.org/abs/2512.22671)"
)


def scores(layer: MlpLayer) -> Tensor:
    return _peak_to_peak(layer.gate) + _peak_to_peak(layer.up)


def _peak_to_peak(weight: Tensor) -> Tensor:
    import torch

    # Extremes are exact in any dtype, so only they need to become float32, not the matrix.
    low, high = torch.aminmax(weight, dim=1)
    return high.float() + low.float().abs()
