"""Wanda for whole neurons: how much a neuron did, times how strongly its output is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "size of what it adds to the output"
FORMULA = "‖h‖ · ‖its column of down‖"
CITATION = (
    "M. Sun, Z. Liu, A. Bair, J. Z. Kolter, *A Simple and Effective Pruning Approach for Large Language Models*, 2024, "
    "[arXiv 2306.11695](https://arxiv.org/abs/2306.11695), for whole neurons"
)
NEEDS_ACTIVATIONS = True


def scores(layer: MlpLayer) -> Tensor:
    import torch

    columns = torch.linalg.vector_norm(layer.down, dim=0, dtype=torch.float32)
    return layer.seen.norms.to(columns.device) * columns
