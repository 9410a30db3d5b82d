"""How much each neuron of a GLU MLP matters, by the pruning method that was chosen."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor

from engine.errors import UserError
from engine.planning.methods import PruningMethod, find_method
from engine.pruning.layer import MlpLayer

Importance = Callable[[MlpLayer], Tensor]


def load_method(name: str) -> Importance:
    """The scores of a layer's neurons by the method of this name: float32 [intermediate_size]. Runs its module.

    Raises:
        UserError: there is no such method, or it cannot be loaded. Calling what it returns: a score is missing or NaN.
    """
    method = find_method(name)
    try:
        scores: Importance = import_module(method.module).scores
    except (ImportError, AttributeError) as error:
        raise UserError(f"{_of(method)} cannot be loaded ({error}): mend or uninstall it.") from error

    def importance(layer: MlpLayer) -> Tensor:
        found = scores(layer)
        wanted = (layer.gate.shape[0],)
        if not isinstance(found, Tensor) or found.shape != wanted:
            told = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise UserError(f"{_of(method)} gave {told} for a layer of {wanted[0]} neurons: it has to give {wanted}.")
        if bool(torch.isnan(found).any()):
            raise UserError(f"{_of(method)} gave NaN for neurons of layer {layer.index}: they have no order.")
        return found.float()

    return importance


def ranking(scores: Tensor) -> Tensor:
    """Neuron indices from most to least important, ties by lower index, on every device: [n] → [n] int64."""
    return torch.argsort(scores, descending=True, stable=True)


def _of(method: PruningMethod) -> str:
    return f"Pruning method '{method.name}'" + (f" of {method.package}" if method.package else "")
