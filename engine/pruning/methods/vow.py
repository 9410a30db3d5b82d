"""Variance of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "variance of weights"
FORMULA = "unbiased variance of its gate weights + that of its up weights"
CITATION = (
    "P. Martra, *Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2*, 2025, "
    "[arXiv 2512.22671](https://arxiv.org/abs/2512.22671)"
)


def scores(layer: MlpLayer) -> Tensor:
    import torch

    return torch.var(layer.gate.float(), dim=1) + torch.var(layer.up.float(), dim=1)
