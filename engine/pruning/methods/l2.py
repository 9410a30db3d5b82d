"""Sum of L2 norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "sum of L2 norms"
FORMULA = "√Σ(gate weights)² + √Σ(up weights)²"
CITATION = "[OptiPFair](https://github.com/peremartra/optipfair)"


def scores(layer: MlpLayer) -> Tensor:
    import torch

    return torch.norm(layer.gate.float(), p=2, dim=1) + torch.norm(layer.up.float(), p=2, dim=1)
