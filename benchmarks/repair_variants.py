"""Repairs that were tried beside the program's own: slow, and written to be compared, not to be used."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from engine.pruning import activations, factor, layer
from engine.pruning.calibration import Calibration
from engine.pruning.glu import GluMlp, find_glu_mlps
from engine.pruning.ladder import Ladder

_METHOD = "obs"


class Variant:
    """A model whose width is set as a ladder's is."""

    def __init__(self, model: Any, ladder: Any) -> None:
        self.model, self.set_width = model, ladder.set_width


def usual(model: Any, calibration: Calibration, seed: int) -> Variant:
    return Variant(model, Ladder(model, method=_METHOD, seed=seed, repair="lsq", calibration=calibration))


def damped(damping: float) -> Callable[..., Variant]:
    """λ as another share of the mean of the diagonal, in the order and in the repair."""

    def made(model: Any, calibration: Calibration, seed: int) -> Variant:
        with _instead(layer, DAMPING=damping), _instead(factor, DAMPING=damping):
            return usual(model, calibration, seed)

    return made


def tokens_alike(model: Any, calibration: Calibration, seed: int) -> Variant:
    """Each token counts as much as any other: its activations are scaled to one norm."""

    def add(gram: Tensor, neurons: Tensor) -> None:
        wide = neurons.float()
        wide = wide / wide.norm(dim=1, keepdim=True).clamp(min=1e-12)
        gram.addmm_(wide.T, wide)

    with _instead(activations, add_products=add):
        return usual(model, calibration, seed)


def loud_tokens_capped(model: Any, calibration: Calibration, seed: int) -> Variant:
    """No token counts more than ten times the median one."""

    def add(gram: Tensor, neurons: Tensor) -> None:
        wide = neurons.float()
        norms = wide.norm(dim=1, keepdim=True)
        wide = wide * (10**0.5 * norms.median() / norms.clamp(min=1e-12)).clamp(max=1)
        gram.addmm_(wide.T, wide)

    with _instead(activations, add_products=add):
        return usual(model, calibration, seed)


def from_the_repaired_stream(targets: str) -> Callable[..., Variant]:
    """Layer after layer, fitted on what reaches it in the model that is repaired so far.

    The target is the unpruned layer's output on the same input ("same"), or its output in the unpruned model ("first").
    """

    def made(model: Any, calibration: Calibration, seed: int) -> Variant:
        return _Streamed(model, calibration, seed, targets)

    return made


class _Streamed(Variant):
    def __init__(self, model: Any, calibration: Calibration, seed: int, targets: str) -> None:
        self._unpruned = copy.deepcopy(model)
        self._targets = targets
        self._texts = [
            torch.from_numpy(row[row >= 0].astype("int64"))[None].to(model.device) for row in calibration.tokens
        ]
        self._ladder = Ladder(model, method=_METHOD, seed=seed, pad_to=1, calibration=calibration)
        self.model, self.set_width = model, self._set_width

    @torch.no_grad()
    def _set_width(self, width: int) -> None:
        self._ladder.set_width(width)
        for before, mlp in zip(find_glu_mlps(self._unpruned), find_glu_mlps_of_any_width(self.model), strict=True):
            kept = self._ladder._rankings[before.layer][:width].to(self.model.device)
            moments: Any = 0
            cross: Any = 0
            for text in self._texts:
                wide = _at(self._unpruned if self._targets == "first" else self.model, before, mlp, text, self._targets)
                narrow = _input_of_down(self.model, mlp.module, text)
                moments = moments + narrow.T @ narrow
                cross = cross + wide.T @ narrow
            damping = layer.DAMPING * moments.diagonal().mean()
            moments.diagonal().add_(damping)
            cross = before.down.weight.float() @ cross + damping * before.down.weight[:, kept].float()
            mlp.down.weight.data.copy_(torch.linalg.solve(moments.double(), cross.double().T).T)


def find_glu_mlps_of_any_width(model: Any) -> list[GluMlp]:
    found = [(name, module) for name, module in model.named_modules() if name.endswith(".mlp")]
    return [GluMlp(at, module) for at, (_, module) in enumerate(found)]


def _at(model: Any, before: GluMlp, mlp: GluMlp, text: Tensor, targets: str) -> Tensor:
    """What the unpruned layer's neurons do: in the unpruned model, or on what reaches the layer in the repaired one."""
    if targets == "first":
        return _input_of_down(model, before.module, text)
    seen: list[Tensor] = []
    hook = mlp.module.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.base_model(text, use_cache=False)
    hook.remove()
    unpruned: Any = before.module
    hidden = seen[0][0]
    return unpruned.act_fn(unpruned.gate_proj(hidden)) * unpruned.up_proj(hidden)


def _input_of_down(model: Any, module: Any, text: Tensor) -> Tensor:
    seen: list[Tensor] = []
    hook = module.down_proj.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    model.base_model(text, use_cache=False)
    hook.remove()
    return seen[0][0].float()


@contextmanager
def _instead(module: Any, **values: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    vars(module).update(values)
    try:
        yield
    finally:
        vars(module).update(before)


VARIANTS: dict[str, Callable[..., Variant]] = {
    "as it is (λ = 0.01)": usual,
    "λ = 0.0001": damped(0.0001),
    "λ = 0.001": damped(0.001),
    "λ = 0.1": damped(0.1),
    "tokens alike": tokens_alike,
    "loud tokens capped": loud_tokens_capped,
    "repaired stream, unpruned layer on it": from_the_repaired_stream("same"),
    "repaired stream, the unpruned model's output": from_the_repaired_stream("first"),
}
