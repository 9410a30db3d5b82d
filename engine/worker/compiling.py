"""torch.compile for the layers of a model whose MLPs change their width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from engine.pruning.glu import GluMlp, find_glu_mlps

_SILU = ("SiLU", "SiLUActivation")
_PROJECTIONS = ("q_proj", "k_proj", "v_proj")
# Intermediate results are rounded to the model's dtype where they were before.
_OPTIONS: dict[str, Any] = {"emulate_precision_casts": True}


def compile_layers(model: PreTrainedModel) -> None:
    """From now on, fuse what surrounds the matrix products of each layer: norms, rotary embeddings, residuals.

    Of the MLPs only the activation and its product are compiled, for any width, so that a new width compiles nothing
    anew. Compiling takes seconds at the first pass over prompts and at the first step of decoding; a whole sweep may
    win them back. The projections to queries, keys and values become one product.
    """
    mlps = find_glu_mlps(model)
    _join_projections(model)
    forward: dict[int, Callable[..., Tensor]] = {id(mlp.module): mlp.module.forward for mlp in mlps}
    act = getattr(mlps[0].module, "act_fn", None)
    if act is not None:
        glu = _glu(act, model.device)
        forward |= {id(mlp.module): _forward(mlp, glu) for mlp in mlps if _is_plain(mlp, act)}
    for module in list(model.modules()):
        children: list[Any] = list(module.children())
        if any(id(child) in forward for child in children):
            for child in children:
                if id(child) in forward:
                    child.forward = torch.compiler.disable(forward[id(child)])
            module.compile(dynamic=True, options=_OPTIONS)


def _glu(act: Callable[[Tensor], Tensor], device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
    """act(gate) · up for tensors [tokens, intermediate_size]."""
    if type(act).__name__ in _SILU and device.type == "cuda":
        from engine.worker.glu_kernel import silu_product  # Triton, which compiles for CUDA, is not everywhere

        return silu_product

    def glu(gate: Tensor, up: Tensor) -> Tensor:
        return act(gate) * up

    return torch.compile(glu, dynamic=True, options=_OPTIONS)


def _is_plain(mlp: GluMlp, act: Callable[[Tensor], Tensor]) -> bool:
    """Whether the MLP is down(act(gate(x)) · up(x)) and no more, for large numbers too, which some models clamp."""
    module: Any = mlp.module
    if mlp.fused:
        return False
    weight = module.gate_proj.weight
    small = torch.linspace(-1, 1, 2 * weight.shape[1], device=weight.device).to(weight.dtype).view(2, -1)
    probe = torch.cat((small, 1000 * small))
    with torch.no_grad():
        plain = module.down_proj(act(module.gate_proj(probe)) * module.up_proj(probe))
        return torch.allclose(plain, module(probe), rtol=0, atol=0, equal_nan=True)  # 16 bits may not hold them


def _forward(mlp: GluMlp, glu: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    module: Any = mlp.module

    def forward(hidden: Tensor) -> Tensor:
        tokens = hidden.flatten(0, -2)  # of one shape for rows of prompts and for steps of decoding
        return module.down_proj(glu(module.gate_proj(tokens), module.up_proj(tokens))).view(hidden.shape)

    return forward


@torch.no_grad()
def _join_projections(model: PreTrainedModel) -> None:
    """Have each attention's three projections computed as one product, where they take turns at the same input."""
    found = [[getattr(module, name, None) for name in _PROJECTIONS] for module in model.modules()]
    threes: list[list[Any]] = [three for three in found if all(isinstance(part, nn.Linear) for part in three)]
    calls: list[tuple[nn.Module, Tensor]] = []

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        calls.append((module, args[0]))

    hooks = [part.register_forward_pre_hook(note) for three in threes for part in three]
    try:
        model.base_model(torch.zeros(1, 2, dtype=torch.long, device=model.device), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    for three in threes:
        own = [(module, given) for module, given in calls if any(module is part for part in three)]
        in_turn = [module for module, _ in own] == three and all(given is own[0][1] for _, given in own)
        biases = {part.bias is not None for part in three}
        if in_turn and len(biases) == 1:
            _join(three)


def _join(three: list[Any]) -> None:
    """The first computes for all three, the others hand out what it kept for them; weights stay theirs, as views."""
    sizes = [part.out_features for part in three]
    names = ("weight", "bias") if three[0].bias is not None else ("weight",)
    joined = {name: torch.cat([getattr(part, name).data for part in three]) for name in names}
    for name in names:
        for part, view in zip(three, joined[name].split(sizes), strict=True):
            getattr(part, name).data = view
    kept: list[Tensor] = []

    def first(hidden: Tensor) -> Tensor:
        query, key, value = linear(hidden, joined["weight"], joined.get("bias")).split(sizes, -1)
        kept[:] = (value, key)
        return query

    def following(hidden: Tensor) -> Tensor:
        return kept.pop()

    for part, forward in zip(three, (first, following, following), strict=True):
        part.forward = forward
