"""Layers that hand each other the norm of what they add up, computed with the sum by one kernel.

A layer of Llama's kind is h = x + attention(norm(x)), and then h + mlp(norm(h)), whose sum the next layer's first norm
reads again. Compiled layer by layer, that sum and that norm are two kernels and two passes over memory. Here a layer's
last sum is computed together with the norm that comes next, and that one travels as an attribute of the sum, so that
it lives no longer and is used for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

_NORMED = "_prune_tui_normed"
Compile = Callable[[Callable[..., Any]], Callable[..., Any]]
_PARTS = ("input_layernorm", "self_attn", "post_attention_layernorm", "mlp")


def is_chain(model: PreTrainedModel) -> bool:
    """Whether all of the model's layers are of that kind, for large numbers too, which some models clamp."""
    layers = getattr(model.base_model, "layers", None)
    if not isinstance(layers, nn.ModuleList) or not isinstance(getattr(model.base_model, "norm", None), nn.Module):
        return False
    if not all(isinstance(getattr(layer, name, None), nn.Module) for layer in layers for name in _PARTS):
        return False
    calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    def note(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        calls.append((layer, args, kwargs))

    hooks = [layer.register_forward_pre_hook(note, with_kwargs=True) for layer in layers]
    try:
        with torch.no_grad():
            model.base_model(torch.zeros(1, 2, dtype=torch.long, device=model.device), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    if [layer for layer, _, _ in calls] != list(layers) or not all(len(args) == 1 for _, args, _ in calls):
        return False
    [hidden] = calls[0][1]
    # Not the tokens' own states: padding may embed as zeros, of which every layer makes the same.
    noise = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(0)).to(hidden)
    return all(_is_plain(layer, scale * noise, kwargs) for layer, _, kwargs in calls for scale in (1, 1000))


@torch.no_grad()
def _is_plain(layer: Any, hidden: Tensor, kwargs: dict[str, Any]) -> bool:
    expected = layer(hidden, **kwargs)
    try:
        attended = hidden + _attend(layer, layer.input_layernorm(hidden), kwargs)
    except TypeError:  # what the layer is given is not what its attention takes
        return False
    total = attended + layer.mlp(layer.post_attention_layernorm(attended))
    return isinstance(expected, Tensor) and torch.equal(total, expected)


def chain_layers(model: PreTrainedModel, compiled: Compile, pieces: Mapping[int, Callable[[Tensor], Tensor]]) -> None:
    """Chain the layers of a model for which is_chain; everything but the MLPs is `compiled`, the last norm included.

    `pieces` knows by their ids MLPs whose output can be had as pieces, [pieces, *hidden.shape], to be added up here.
    """
    base: Any = model.base_model
    norms = [*(layer.input_layernorm for layer in base.layers), base.norm]
    attend, add, norm = compiled(_attend), compiled(_add), compiled(_norm)

    def chained(layer: Any, following: nn.Module) -> Callable[..., Tensor]:
        mlp = pieces.get(id(layer.mlp), lambda normed: layer.mlp(normed)[None])
        add_attended, add_made = _adder(layer.post_attention_layernorm, add), _adder(following, add)

        def forward(hidden_states: Tensor, **kwargs: Any) -> Tensor:
            attended = attend(layer, layer.input_layernorm(hidden_states), kwargs)
            hidden, normed = add_attended(hidden_states, attended[None])
            total, following_normed = add_made(hidden, mlp(normed))
            setattr(total, _NORMED, following_normed)
            return total

        return forward

    for layer, following in zip(base.layers, norms[1:], strict=True):
        layer.forward = chained(layer, following)
        layer.input_layernorm = _Awaited(layer.input_layernorm, norm)
    base.norm = _Awaited(base.norm, norm)


class _Awaited(nn.Module):
    """A norm that usually comes with what it is of: it is computed only at the start, or of a part of the tokens."""

    def __init__(self, module: nn.Module, compute: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.module = module
        self._compute = compute

    def forward(self, hidden: Tensor) -> Tensor:
        normed = getattr(hidden, _NORMED, None)
        if normed is None:
            return self._compute(self.module, hidden)
        delattr(hidden, _NORMED)  # it is large, and the sum lives on
        return normed


def _adder(norm: Any, add: Callable[..., tuple[Tensor, Tensor]]) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """What adds pieces to hidden states, and gives the sum and its norm."""
    epsilon = getattr(norm, "variance_epsilon", getattr(norm, "eps", None))
    weight = getattr(norm, "weight", None)
    if weight is not None and weight.is_cuda and isinstance(epsilon, float) and _is_rms(norm, epsilon):
        from engine.overrides.norm_kernel import sum_and_norm  # Triton, which compiles for CUDA, is not everywhere

        return lambda hidden, pieces: sum_and_norm(hidden.contiguous(), pieces.contiguous(), weight, epsilon)
    return lambda hidden, pieces: add(norm, hidden, pieces[0] if len(pieces) == 1 else pieces.sum(0).to(hidden.dtype))


@torch.no_grad()
def _is_rms(norm: Any, epsilon: float) -> bool:
    """Whether a norm is Llama's, rounded where that one rounds."""
    weight = norm.weight
    probe = torch.linspace(-3, 4, 7 * weight.numel(), device=weight.device).to(weight.dtype).view(7, -1)
    wide = probe.float()
    scaled = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)).to(weight.dtype)
    return torch.equal(norm(probe), weight * scaled)


def _attend(layer: Any, normed: Tensor, kwargs: dict[str, Any]) -> Tensor:
    return layer.self_attn(hidden_states=normed, **kwargs)[0]


def _add(norm: nn.Module, hidden: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    total = hidden + made
    return total, norm(total)


def _norm(norm: nn.Module, hidden: Tensor) -> Tensor:
    return norm(hidden)
