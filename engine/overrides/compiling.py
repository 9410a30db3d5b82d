"""torch.compile for the layers of a model whose MLPs change their width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from engine.overrides.fused_residual_norm import chain_layers, is_chain
from engine.overrides.split_k import product_in_pieces, two_products
from engine.pruning.glu import GluMlp, find_glu_mlps

_SILU = ("SiLU", "SiLUActivation")
_FIXED_ROTARY = ("default", "linear", "llama3", "yarn")  # the others look at how long the sequences are
_PROJECTIONS = ("q_proj", "k_proj", "v_proj")
# Intermediate results are rounded to the model's dtype where they were before.
_OPTIONS: dict[str, Any] = {"emulate_precision_casts": True}


def compile_layers(model: PreTrainedModel) -> None:
    """From now on, fuse what surrounds the matrix products of each layer: norms, rotary embeddings, residuals.

    Of the MLPs only the activation and its product are compiled, for any width, so that a new width compiles nothing
    anew. Compiling takes seconds at the first pass over prompts and at the first step of decoding; a whole sweep may
    win them back. The projections to queries, keys and values become one product, and gate's and up's weights come to
    lie in one tensor: neurons should be sorted afterwards, where they lie then.
    """
    mlps = find_glu_mlps(model)
    _join_projections(model)
    chained = is_chain(model)
    forward: dict[int, Callable[..., Tensor]] = {id(mlp.module): mlp.module.forward for mlp in mlps}
    act = getattr(mlps[0].module, "act_fn", None)
    pieces: dict[int, Callable[[Tensor], Tensor]] = {}
    if act is not None:
        glu = _glu(act, model.device)
        for mlp in [mlp for mlp in mlps if _is_plain(mlp, act)]:
            _lay_together(mlp.module)
            forward[id(mlp.module)] = _forward(mlp.module, glu)
            if mlp.down.bias is None:
                pieces[id(mlp.module)] = _pieces(mlp.module, glu)
    for mlp in mlps:
        mlp.module.forward = torch.compiler.disable(forward[id(mlp.module)])
    if chained:
        chain_layers(model, _compiled, pieces)
    else:
        for module in [module for module in model.modules() if any(id(part) in forward for part in module.children())]:
            module.compile(dynamic=True, options=_OPTIONS)
    rotary: Any = getattr(model.base_model, "rotary_emb", None)
    if getattr(rotary, "rope_type", None) in _FIXED_ROTARY:
        rotary.compile(dynamic=True, options=_OPTIONS)


def _glu(act: Callable[[Tensor], Tensor], device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
    """act(gate) · up for tensors [tokens, intermediate_size]."""
    if type(act).__name__ in _SILU and device.type == "cuda":
        from engine.overrides.glu_kernel import silu_product  # Triton, which compiles for CUDA, is not everywhere

        return silu_product

    def glu(gate: Tensor, up: Tensor) -> Tensor:
        return act(gate) * up

    return _compiled(glu)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return torch.compile(function, dynamic=True, options=_OPTIONS)


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


def _lay_together(module: Any) -> None:
    """Put gate's and up's weights into one tensor, of which they are the halves: steps of decoding ask both at once."""
    both = torch.stack((module.gate_proj.weight.data, module.up_proj.weight.data))
    module.gate_proj.weight.data, module.up_proj.weight.data = both


def _forward(module: Any, glu: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def forward(hidden: Tensor) -> Tensor:
        return module.down_proj(_gated(module, glu, hidden)).view(hidden.shape)

    return forward


def _pieces(module: Any, glu: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The same as `_forward` without a bias, as pieces that have yet to be added up: [pieces, *hidden.shape]."""

    def pieces(hidden: Tensor) -> Tensor:
        return product_in_pieces(_gated(module, glu, hidden), module.down_proj.weight).unflatten(1, hidden.shape[:-1])

    return pieces


def _gated(module: Any, glu: Callable[[Tensor, Tensor], Tensor], hidden: Tensor) -> Tensor:
    tokens = hidden.flatten(0, -2)  # of one shape for rows of prompts and for steps of decoding
    gate, up = module.gate_proj, module.up_proj
    if gate.bias is None and up.bias is None:
        return glu(*two_products(tokens, gate.weight, up.weight))
    return glu(gate(tokens), up(tokens))


@torch.no_grad()
def _join_projections(model: PreTrainedModel) -> None:
    """Have each attention's three projections computed as one product, where they take turns at the same input."""
    projections = [[getattr(module, name, None) for name in _PROJECTIONS] for module in model.modules()]
    threes: list[list[Any]] = [three for three in projections if all(isinstance(part, nn.Linear) for part in three)]
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
