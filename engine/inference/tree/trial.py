"""Which attention over trees works with a model, found out by trying."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.lengths import Lengths
from engine.inference.tree.attending import attending
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.flex_attention import BLOCK
from engine.inference.tree.path_attention import paths_work
from engine.inference.tree.tree import TreeRow
from engine.overrides.kernels import triton_kernels


class _Trial(DeviceRow):
    """A row that finds out whether its model's attention can be done path by path."""

    by_paths = True

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        self.by_paths &= softcap is None and paths_work(query, key, value)
        return super().attend(query, key, value, scaling, window, softcap)


def best_attention(model: PreTrainedModel, *, plain: bool = False) -> tuple[Attention, str | None]:
    """The fastest that works with this model, and, where that is the dense one, why.

    Trying compiles FlexAttention, which takes seconds; `plain` torch is not tried to be bettered.
    """
    lengths = Lengths.of(model)
    dense = Attention(tiles=False, lengths=lengths)
    if plain:
        return dense, "plain torch was asked for"
    if model.device.type != "cuda":
        return dense, f"FlexAttention needs a CUDA GPU, and the model is on {model.device}"
    token = np.zeros(BLOCK, dtype=np.int64)
    row = TreeRow(token, token, token + BLOCK, token[:1], token[:1], token[:1], (), ())
    tiled = Attention(tiles=True, lengths=lengths)
    trial = _Trial(row, model.device, tiled)
    probe: Any = model
    try:
        with torch.no_grad(), attending(model, trial):
            probe.base_model(trial.tokens, position_ids=trial.positions, use_cache=False)
    except torch.AcceleratorError:
        raise
    except Exception as error:  # no compiler, no Triton, a head size it cannot do: many libraries' many errors
        return dense, f"FlexAttention does not work here ({type(error).__name__}: {str(error).splitlines()[0]})"
    # FlexAttention is compiled by Triton, so kernels of ours in Triton work as well.
    return replace(tiled, windows=trial.windows, by_paths=trial.by_paths, overrides=triton_kernels()), None
