"""Optimal brain surgeon for whole neurons: the cheapest to do without go first, each judged after the best repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "place in a greedy elimination"
FORMULA = "eliminated while ‖its column of down‖² / (H⁻¹)ⱼⱼ is least, H and down repaired after each block"
CITATION = (
    "E. Kurtić, E. Frantar, D. Alistarh, *ZipLM: Inference-Aware Structured Pruning of Language Models*, 2023, "
    "[arXiv 2302.04089](https://arxiv.org/abs/2302.04089)"
)
NEEDS_ACTIVATIONS = True

_BLOCKS = 64
_COMPACT = 0.875  # once fewer than this share of a matrix is still there, what is left moves together


def scores(layer: MlpLayer) -> Tensor:
    """The place of each neuron in the order of elimination, from 0: [intermediate_size]."""
    return eliminate(layer, max(1, layer.down.shape[1] // _BLOCKS))


def eliminate(layer: MlpLayer, block: int) -> Tensor:
    """The same with `block` neurons at a time, which are judged together; 1 is the greedy elimination itself.

    Removing a set R, with the best repair, turns H⁻¹ into H⁻¹ − H⁻¹:R (H⁻¹RR)⁻¹ H⁻¹R: and D into
    D − D:R (H⁻¹RR)⁻¹ H⁻¹R:.
    """
    import torch

    from engine.pruning.factor import cholesky

    moments = layer.moments()
    inverse = torch.cholesky_inverse(cholesky(moments))
    del moments  # as large as the inverse
    down = layer.down.to(inverse)
    count = down.shape[1]
    places = torch.empty(count, dtype=torch.float32, device=down.device)
    here = torch.arange(count, device=down.device)  # the neuron that each column is
    alive = torch.ones(count, dtype=torch.bool, device=down.device)
    for start in range(0, count, block):
        cost = down.square().sum(0) / inverse.diagonal().clamp(min=torch.finfo(inverse.dtype).tiny)
        cost[~alive] = torch.inf
        # Of equals the first is kept.
        gone = len(cost) - 1 - torch.argsort(cost.flip(0), stable=True)[: min(block, count - start)]
        places[here[gone]] = torch.arange(start, start + len(gone), dtype=torch.float32, device=down.device)
        alive[gone] = False
        left = count - start - len(gone)
        if not left:
            break
        rows = inverse[gone]
        step = torch.linalg.solve(rows[:, gone], rows)
        down.addmm_(down[:, gone], step, alpha=-1)
        inverse.addmm_(rows.T, step, alpha=-1)
        if left < _COMPACT * len(here):
            kept = alive.nonzero()[:, 0]
            inverse, down = inverse[kept][:, kept], down[:, kept]
            here, alive = here[kept], alive[kept]
    return places
