"""A control: a random order, fixed by the seed and the layer, equal on every device."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.pruning.layer import MlpLayer

TITLE = "rank in a random order"
FORMULA = "a control"
USES_SEED = True


def scores(layer: MlpLayer) -> Tensor:
    import torch

    generator = torch.Generator().manual_seed(Random(f"{layer.seed}/{layer.index}").getrandbits(63))
    return torch.randperm(len(layer.gate), generator=generator).float().to(layer.gate.device)
