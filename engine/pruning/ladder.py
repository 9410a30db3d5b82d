"""All widths of one model in one set of weights.

Each layer's neurons are sorted by importance once, in place; every width is then a prefix of the same
tensors. A width that is not a multiple of `pad_to` leaves the fast path of a GPU's matrix units, so it is
evaluated with a few neurons more whose weights are zero: they add exactly zero. Where what is removed is made up for,
down_proj is another one at each width, and is written into the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.pruning.calibration import Calibration
from engine.pruning.glu import GluMlp, find_glu_mlps
from engine.pruning.ordering import ordered
from engine.pruning.padding import padded_width
from engine.pruning.repair import Repair


def padded_size(kept: int, full: int, pad_to: int) -> int:
    """`kept` rounded up to a multiple of `pad_to`, never beyond the full width."""
    return min(padded_width(kept, pad_to), full)


class Ladder:
    """Steps `model` from width to width without copying its weights.

    Args:
        model: a causal language model whose weights are in memory; its neurons are reordered in place, and a
            fused gate_up_proj is replaced by one that holds gate and up apart.
        method: the name of a pruning method, see `engine.planning.methods`.
        seed: for methods that draw at random.
        pad_to: widths are zero-padded to a multiple of this; 1 pads nothing.
        repair: how what is removed is made up for, "none" or "lsq", see `engine.pruning.repair`.
        calibration: the text on which neurons are looked at; without it, methods and repairs that look at weights only.
        check: called between passes over that text; may raise to stop.

    Raises:
        UserError: the model's MLPs cannot be pruned, there is no such method, or nothing can be told from the text.
        ValueError: there is no text for a method or a repair that needs it.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: PreTrainedModel,
        *,
        method: str,
        seed: int,
        pad_to: int = 64,
        repair: str = "none",
        calibration: Calibration | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        mlps = find_glu_mlps(model)
        self.full_size = mlps[0].intermediate_size
        self.intermediate_size = self.full_size
        self.padded_size = self.full_size
        self._pad_to = pad_to
        # Allocated at once: a small tensor kept between large temporary ones would fragment the heap.
        self._rankings = torch.empty(len(mlps), self.full_size, dtype=torch.int64)
        self._tensors: list[_NeuronTensor | _RepairedDown] = []
        self._linears: list[tuple[nn.Linear, nn.Linear, nn.Linear]] = []
        for one in ordered(model, mlps, method=method, seed=seed, repair=repair, calibration=calibration, check=check):
            gate, up, down = _separate(one.mlp)
            tensors = [_NeuronTensor(linear.weight, 0) for linear in (gate, up)] + [_NeuronTensor(down.weight, 1)]
            tensors += [_NeuronTensor(linear.bias, 0) for linear in (gate, up) if linear.bias is not None]
            for tensor in tensors:
                tensor.reorder(one.order)
            self._tensors += tensors
            if one.repair is not None:
                self._tensors.append(_RepairedDown(down, one.repair))
            self._linears.append((gate, up, down))
            self._rankings[one.mlp.layer] = one.order

    @torch.no_grad()
    def set_width(self, intermediate_size: int, *, pad_to: int | None = None) -> int:
        """Makes the model compute at this exact width; widths may come in any order, the full one included.

        `pad_to` takes the place of the ladder's own. Returns the padded width its tensors now have.
        """
        if not 1 <= intermediate_size <= self.full_size:
            raise ValueError(f"width {intermediate_size} is outside 1–{self.full_size}")
        padded = padded_size(intermediate_size, self.full_size, pad_to or self._pad_to)
        for tensor in self._tensors:
            tensor.narrow(intermediate_size, padded)
        for gate, up, down in self._linears:
            gate.out_features = up.out_features = down.in_features = padded
        self.intermediate_size = intermediate_size
        self.padded_size = padded
        return padded

    @contextmanager
    def as_shipped(self) -> Iterator[None]:
        """Inside the block every weight lies as a checkpoint of this width has it: without gaps between its rows, which
        matrix units feel. The width must not change meanwhile.
        """
        slices = [(linear.weight, linear.weight.data) for triple in self._linears for linear in triple]
        try:
            for weight, lying in slices:
                weight.data = lying.contiguous()
            yield
        finally:
            for weight, lying in slices:
                weight.data = lying

    def kept(self, layer: int, intermediate_size: int) -> Tensor:
        """Original indices, ascending, of the neurons that layer `layer` keeps: [intermediate_size] int64."""
        return self._rankings[layer][:intermediate_size].sort().values


class _NeuronTensor:
    """A weight or bias whose dimension `dim` counts neurons, and what its zeroed tail held."""

    def __init__(self, parameter: Tensor, dim: int) -> None:
        self.parameter, self.dim = parameter, dim
        self.full = parameter.data
        self.tail_start = 0
        self.tail: Tensor | None = None

    def reorder(self, order: Tensor) -> None:
        self.full.copy_(self.full.index_select(self.dim, order))

    def narrow(self, kept: int, padded: int) -> None:
        if self.tail is not None:
            self.full.narrow(self.dim, self.tail_start, self.tail.shape[self.dim]).copy_(self.tail)
            self.tail = None
        if kept < padded:
            tail = self.full.narrow(self.dim, kept, padded - kept)
            self.tail_start, self.tail = kept, tail.clone()
            tail.zero_()
        self.parameter.data = self.full.narrow(self.dim, 0, padded)


class _RepairedDown:
    """down_proj's columns and bias as they are at each width. Its zeroed tail is the business of `_NeuronTensor`, whose
    turn comes before.
    """

    def __init__(self, down: nn.Linear, repair: Repair) -> None:
        self._weight, self._bias = down.weight, down.bias
        self._repair = repair

    def narrow(self, kept: int, padded: int) -> None:
        own = self._repair
        if kept == own.down.shape[1]:
            self._weight.data.copy_(own.down)
            if own.bias is not None:
                self._bias.data.copy_(own.bias)
            return
        weight = own.weight(kept)
        self._weight.data[:, :kept].copy_(weight)
        if (bias := own.bias_beside(weight)) is not None:
            self._bias.data.copy_(bias)


class SeparateGateUp(nn.Module):
    """Stands in for a fused gate_up_proj: same output, but its two halves can be narrowed without a copy."""

    def __init__(self, fused: nn.Linear) -> None:
        super().__init__()
        self.gate_proj = _half(fused, 0)
        self.up_proj = _half(fused, 1)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[..., hidden_size] → [..., 2 · intermediate_size]"""
        return torch.cat((self.gate_proj(hidden_states), self.up_proj(hidden_states)), dim=-1)


def _half(fused: nn.Linear, which: int) -> nn.Linear:
    half = nn.Linear(fused.in_features, fused.out_features // 2, bias=fused.bias is not None, device="meta")
    half.weight = nn.Parameter(fused.weight.data.chunk(2)[which], requires_grad=False)
    if fused.bias is not None:
        half.bias = nn.Parameter(fused.bias.data.chunk(2)[which], requires_grad=False)
    return half


def _separate(mlp: GluMlp) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    """Gate, up and down of one MLP as linear layers of their own."""
    if mlp.fused:
        parts = SeparateGateUp(mlp.linears["gate_up_proj"])
        mlp.module.gate_up_proj = parts
        return parts.gate_proj, parts.up_proj, mlp.down
    return mlp.linears["gate_proj"], mlp.linears["up_proj"], mlp.down
