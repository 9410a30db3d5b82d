"""Which attention over trees works with a model, found out by trying."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.lengths import Lengths
from engine.inference.tree.attending import attending
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.flex_attention import BLOCK, FlexAttention
from engine.inference.tree.path_attention import paths_work
from engine.inference.tree.tree import TreeRow
from engine.overrides.kernels import triton_kernels

logger = logging.getLogger(__name__)


class _Trial(DeviceRow):
    """A row that finds out what its model's layers ask for, and whether that can be done path by path."""

    by_paths = True

    def __init__(self, row: TreeRow, device: torch.device, attention: Attention) -> None:
        super().__init__(row, device, attention)
        self.asked: set[int | None] = set()

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float | None,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        self.asked.add(window)
        self.by_paths &= softcap is None and paths_work(query, key, value)
        return super().attend(query, key, value, scaling, window, softcap)


def best_attention(
    model: PreTrainedModel, *, plain: bool = False, warn: Callable[[str], None] = logger.warning
) -> tuple[Attention, str | None]:
    """The fastest that works with this model, and, where that is the dense one, why.

    Compiling FlexAttention takes seconds. Where rows are taken path by path that is left to the first row that needs
    it, and `warn` is told if it fails then; otherwise it is tried here. `plain` torch is not tried to be bettered.
    """
    lengths = Lengths.of(model)
    dense = Attention(tiles=False, lengths=lengths)
    if plain:
        return dense, "plain torch was asked for"
    if model.device.type != "cuda":
        return dense, f"FlexAttention needs a CUDA GPU, and the model is on {model.device}"
    try:
        trial = _tried(model, dense)
        kernels = triton_kernels()
        embeddings: Any = model.get_input_embeddings()
        logits = torch.zeros(16, embeddings.weight.shape[0], dtype=model.dtype, device=model.device)
        kernels.argmax(logits)  # can Triton compile?
        best = Attention(
            tiles=True,
            windows=frozenset(trial.asked),
            by_paths=trial.by_paths,
            lengths=lengths,
            overrides=kernels,
            flex=FlexAttention(warn) if trial.by_paths else FlexAttention(),
        )
        if not best.by_paths:
            _tried(model, best)
    except torch.AcceleratorError:
        raise
    except Exception as error:  # no compiler, no Triton, inputs of its own: many libraries' many errors
        return dense, f"Kernels do not work here ({type(error).__name__}: {next(iter(str(error).splitlines()), '')})"
    return (best, None) if best.still_tiles else (dense, best.flex.problem)


@torch.no_grad()
def _tried(model: PreTrainedModel, attention: Attention) -> _Trial:
    token = np.zeros(BLOCK, dtype=np.int64)
    row = TreeRow(token, token, token + BLOCK, token[:1], token[:1], token[:1], (), ())
    trial = _Trial(row, model.device, attention)
    probe: Any = model
    with attending(model, trial):
        probe.base_model(trial.tokens, position_ids=trial.positions, use_cache=False)
    return trial
