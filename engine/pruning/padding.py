"""Widths that matrix units and file formats like: zero neurons beside a model's own, which compute the same function.

A neuron whose gate, up and down weights are zero adds act(0) · 0 · 0 to what its layer puts out: nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import PreTrainedModel

from engine.pruning.glu import GluMlp, find_glu_mlps


def padded_width(intermediate_size: int, multiple: int) -> int:
    """`intermediate_size` neurons rounded up to a multiple of `multiple` neurons."""
    return -(-intermediate_size // multiple) * multiple


@torch.no_grad()
def add_zero_neurons(model: PreTrainedModel, intermediate_size: int) -> None:
    """Widens every MLP of `model` in place to `intermediate_size` neurons, and says so in its config.

    The new neurons come after the model's own, and all their weights and biases are zero.

    Raises:
        UserError: the model's MLPs cannot be told.
        ValueError: they are wider already.
    """
    for mlp in find_glu_mlps(model):
        if (missing := intermediate_size - mlp.intermediate_size) < 0:
            raise ValueError(f"width {mlp.intermediate_size} is more than {intermediate_size}")
        _widen(mlp, missing)
    model.config.get_text_config().intermediate_size = intermediate_size


def _widen(mlp: GluMlp, missing: int) -> None:
    for name, linear in mlp.linears.items():
        if name == "down_proj":
            linear.weight = _parameter(pad(linear.weight, (0, missing)))
            linear.in_features = linear.weight.shape[1]
            continue
        halves = 2 if mlp.fused else 1
        linear.weight = _parameter(_with_rows(linear.weight, missing, halves))
        linear.out_features = linear.weight.shape[0]
        if linear.bias is not None:
            linear.bias = _parameter(_with_rows(linear.bias, missing, halves))


def _with_rows(tensor: Tensor, missing: int, halves: int) -> Tensor:
    """Zero rows after each half of [halves · intermediate_size, ...]."""
    below = (0, 0) * (tensor.dim() - 1) + (0, missing)
    return torch.cat([pad(half, below) for half in tensor.chunk(halves)])


def _parameter(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor, requires_grad=False)
