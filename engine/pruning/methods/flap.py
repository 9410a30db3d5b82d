"""FLAP's score: how far a neuron departs from its own mean, which a bias can stand in for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "fluctuation of what it adds to the output"
FORMULA = "var(h) · ‖its column of down‖²"
CITATION = (
    "Y. An, X. Zhao, T. Yu, M. Tang, J. Wang, *Fluctuation-based Adaptive Structured Pruning for Large Language "
    "Models*, 2024, [arXiv 2312.11983](https://arxiv.org/abs/2312.11983)"
)
NEEDS_ACTIVATIONS = True
KEEPS_MEANS = True


def scores(layer: MlpLayer) -> Tensor:
    import torch

    columns = torch.linalg.vector_norm(layer.down, dim=0, dtype=torch.float32)
    return layer.seen.variances.to(columns.device) * columns.square()
