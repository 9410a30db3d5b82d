"""The order in which every layer's neurons are kept, and what makes up for those that go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.planning.methods import find_method
from engine.pruning.activations import activations, free_memory
from engine.pruning.calibration import Calibration
from engine.pruning.glu import GluMlp
from engine.pruning.importance import load_method, ranking
from engine.pruning.layer import MlpLayer
from engine.pruning.repair import LEAST_SQUARES, KeptMeans, LeastSquares, Repair

_SHARE = 0.25  # of the memory that is free: what factors may take of it for as long as the ladder is used


@dataclass(frozen=True, slots=True)
class OrderedMlp:
    """`order` is int64 [intermediate_size], from the neuron that is kept longest; `repair` None where there is none."""

    mlp: GluMlp
    order: Tensor
    repair: Repair | None


def ordered(
    model: PreTrainedModel,
    mlps: Sequence[GluMlp],
    *,
    method: str,
    seed: int,
    repair: str,
    calibration: Calibration | None,
    check: Callable[[], None],
) -> Iterator[OrderedMlp]:
    """Each MLP, as soon as it is settled. Until the last one the model has to compute what the unpruned one does, but
    may have its neurons reordered.

    Raises:
        UserError: there is no such method, or nothing can be told from the text.
        ValueError: there is no text for a method or a repair that needs it.
    """
    importance, declared = load_method(method), find_method(method).declared
    repairs = repair == LEAST_SQUARES
    if not (repairs or declared.needs_activations):
        for mlp in mlps:
            yield OrderedMlp(mlp, ranking(importance(mlp.layer_for(seed))), None)
        return
    if calibration is None:
        raise ValueError(f"method {method} with repair {repair} needs calibration text")
    keep_on = _place(model.device, mlps)

    def settled(layer: MlpLayer) -> tuple[Tensor, Repair | None]:
        order = ranking(importance(layer))
        if repairs:
            return order, LeastSquares(layer, order, keep_on)
        if declared.keeps_means and layer.down_bias is not None:
            return order, KeptMeans(layer, order, keep_on)
        return order, None

    for mlp, seen in activations(model, mlps, calibration, check):
        order, made_up = settled(mlp.layer_for(seed, seen))
        del seen  # as large as the factor
        yield OrderedMlp(mlp, order, made_up)


def _place(device: torch.device, mlps: Sequence[GluMlp]) -> torch.device:
    """Where factors wait between widths: on the model's device where that has room, else in main memory."""
    factors = 4 * len(mlps) * mlps[0].intermediate_size ** 2
    return device if factors <= _SHARE * free_memory(device) else torch.device("cpu")
