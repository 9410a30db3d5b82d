"""Product of norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "product of L1 norms"
FORMULA = "Σ|gate weights| · Σ|up weights|"
CITATION = (
    "P. Martra, *Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in Llama-3.2*, 2025, "
    "[arXiv 2512.22671](https://arxiv.org/abs/2512.22671)"
)


def scores(layer: MlpLayer) -> Tensor:
    import torch

    return torch.norm(layer.gate.float(), p=1, dim=1) * torch.norm(layer.up.float(), p=1, dim=1)
