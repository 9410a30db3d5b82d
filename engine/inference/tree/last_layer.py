"""A pass over a row of a tree whose last layer is finished only for the tokens that are read.

No other token has to do with what follows the last attention, so the last MLP and output projection skip them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.inference.tree.attending import attending
from engine.inference.tree.device_row import Attended, DeviceRow

# In 16 bits another number of rows may take another matrix kernel, which adds up in another order. From this many on,
# no difference was seen on an H200.
MANY = 2560


def hidden_at(model: PreTrainedModel, row: DeviceRow, nodes: Tensor, *, least: int) -> Tensor:
    """The hidden states that predict what follows some tokens of a row: [nodes, hidden_size].

    Args:
        nodes: int64 [nodes].
        least: fewer nodes than this are taken from a pass that finishes all tokens.
    """
    probe: Any = model
    layers = getattr(model.base_model, "layers", None)
    saves = least <= len(nodes) <= row.length // 2
    with attending(model, row):
        if not (saves and isinstance(layers, nn.ModuleList)):
            return probe.base_model(row.tokens, position_ids=row.positions, use_cache=False).last_hidden_state[0, nodes]
        with _finishing(layers[-1], row, nodes):
            return probe.base_model(row.tokens, position_ids=row.positions, use_cache=False).last_hidden_state[0]


@contextmanager
def _finishing(layer: Any, row: DeviceRow, nodes: Tensor) -> Iterator[None]:
    """Inside the block this layer attends with all of a row's tokens and goes on with `nodes`."""
    usual = layer._compiled_call_impl  # what a module's call goes through, compiled or not
    call = usual or layer._call_impl

    def at_nodes(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(at_nodes, value))
        per_token = isinstance(value, Tensor) and value.dim() > 1 and value.shape[1] == row.length
        return value.index_select(1, nodes) if per_token else value

    def finish(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        try:
            row.stops = True
            try:
                call(hidden, *args, **kwargs)
            except Attended:
                row.stops = False
            else:
                raise RuntimeError(f"{type(layer).__name__} came to its end without attention")
            row.attended = at_nodes(row.attended)
            return call(at_nodes(hidden), *map(at_nodes, args), **{name: at_nodes(kwargs[name]) for name in kwargs})
        finally:  # the row may be used again, whatever went wrong
            row.stops, row.attended = False, None

    layer._compiled_call_impl = torch.compiler.disable(finish)
    try:
        yield
    finally:
        layer._compiled_call_impl = usual
