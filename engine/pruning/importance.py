"""How much each neuron of a GLU MLP matters, judged from its weights alone.

Every method takes `gate` and `up`, both [intermediate_size, hidden_size], and returns float32 scores
[intermediate_size]; the higher a score, the longer its neuron is kept. Definitions are those of OptiPFair
0.4.2, computed in float32 whatever the weights' dtype, so that the same neurons are kept.

Source: P. Martra, "Fragile Knowledge, Robust Instruction-Following: The Width Pruning Dichotomy in
Llama-3.2", 2025, arXiv 2512.22671, which compares maw, vow and pon and settles on maw.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor

from engine.errors import UserError


def maw(gate: Tensor, up: Tensor) -> Tensor:
    """Maximum absolute weight, also called PPM (peak-to-peak magnitude): max + |min| of both rows, summed."""
    return _peak_to_peak(gate) + _peak_to_peak(up)


def vow(gate: Tensor, up: Tensor) -> Tensor:
    """Variance of weights: the unbiased variances of both rows, summed."""
    return torch.var(gate.float(), dim=1) + torch.var(up.float(), dim=1)


def pon(gate: Tensor, up: Tensor) -> Tensor:
    """Product of norms: the L1 norms of both rows, multiplied."""
    return torch.norm(gate.float(), p=1, dim=1) * torch.norm(up.float(), p=1, dim=1)


def l2(gate: Tensor, up: Tensor) -> Tensor:
    """The L2 norms of both rows, summed."""
    return torch.norm(gate.float(), p=2, dim=1) + torch.norm(up.float(), p=2, dim=1)


def random_scores(n: int, seed: int, layer: int) -> Tensor:
    """A control: a random ranking of `n` neurons, fixed by the seed and the layer, equal on every device."""
    generator = torch.Generator().manual_seed(random.Random(f"{seed}/{layer}").getrandbits(63))
    return torch.randperm(n, generator=generator).float()


def importance(method: str, gate: Tensor, up: Tensor, *, seed: int, layer: int) -> Tensor:
    """Scores of one layer's neurons by the method of this name.

    Raises:
        UserError: there is no such method.
    """
    match method:
        case "maw" | "ppm":
            return maw(gate, up)
        case "vow":
            return vow(gate, up)
        case "pon":
            return pon(gate, up)
        case "l2":
            return l2(gate, up)
        case "random":
            return random_scores(gate.shape[0], seed, layer).to(gate.device)
        case _:
            raise UserError(f"There is no pruning method '{method}': choose maw, ppm, vow, pon, l2 or random.")


def ranking(scores: Tensor) -> Tensor:
    """Neuron indices from most to least important, ties by lower index, on every device: [n] → [n] int64."""
    return torch.argsort(scores, descending=True, stable=True)


def _peak_to_peak(weight: Tensor) -> Tensor:
    # Extremes are exact in any dtype, so only they need to become float32, not the matrix.
    low, high = torch.aminmax(weight, dim=1)
    return high.float() + low.float().abs()
