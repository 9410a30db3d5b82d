"""What neurons do on calibration text: second moments of the inputs of every down_proj, in one pass where they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.errors import UserError
from engine.planning.memory import CPU_TOKENS, batch_tokens
from engine.pruning.calibration import PADDING, Calibration
from engine.pruning.glu import GluMlp
from engine.pruning.layer import Activations

_GPU_TOKENS = 2**15  # of one pass: more gain nothing, and take memory that second moments could have
_SHARE = 0.7  # of the memory that is free; the rest is for the pass, and for working on a layer
_FACTORS = 3  # matrices of a layer's size at a time while it is ordered and repaired


def activations(
    model: PreTrainedModel,
    mlps: Sequence[GluMlp],
    calibration: Calibration,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[GluMlp, Activations]]:
    """Each MLP with what its neurons did in the unpruned model, in order.

    The text goes through the model once, or, where not all layers' moments fit into memory, once for each group of
    layers that does. What was handed out may be changed, and the layer's neurons reordered, as long as the model
    computes the same.

    Args:
        check: called between passes; may raise to stop.

    Raises:
        UserError: what the neurons did is NaN or infinite; names the layer.
    """
    start = 0
    while start < len(mlps):
        group = mlps[start : start + layers_at_once(model, mlps[start:])]
        gathered = _gathered(model, group, calibration, check)
        for mlp in group:
            yield mlp, _finite(gathered.pop(mlp.layer), mlp.layer)
        start += len(group)


def layers_at_once(model: PreTrainedModel, mlps: Sequence[GluMlp]) -> int:
    """How many layers' second moments the free memory holds beside a pass, at least one."""
    layer = 4 * mlps[0].intermediate_size ** 2
    room = int(free_memory(model.device) * _SHARE) - _FACTORS * layer
    return max(1, min(len(mlps), room // layer))


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated there, what torch holds in reserve included."""
    if device.type != "cuda":
        return psutil.virtual_memory().available
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@torch.no_grad()
def _gathered(
    model: PreTrainedModel, mlps: Sequence[GluMlp], calibration: Calibration, check: Callable[[], None]
) -> dict[int, Activations]:
    sums = {mlp.layer: _Sums(mlp, model.device) for mlp in mlps}
    with as_written(model), _listening(mlps, sums):
        passes: Any = model.base_model
        for tokens, real in batches(calibration, pass_tokens(model)):
            check()
            for one in sums.values():
                one.real = None if real.all() else torch.from_numpy(real.reshape(-1).nonzero()[0]).to(model.device)
            passes(torch.from_numpy(tokens).to(model.device), use_cache=False)
    return {layer: Activations(tokens=calibration.count, total=one.total, gram=one.gram) for layer, one in sums.items()}


def pass_tokens(model: PreTrainedModel) -> int:
    """Tokens of one pass that need not be kept afterwards."""
    if model.device.type != "cuda":
        return CPU_TOKENS
    text = model.config.get_text_config()
    sizes = {"hidden_size": text.hidden_size, "intermediate_size": text.intermediate_size}
    return min(_GPU_TOKENS, batch_tokens(free_memory(model.device), **sizes, itemsize=model.dtype.itemsize))


def batches(calibration: Calibration, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """int64 tokens [sequences, length] and which of them are real; sequences of like lengths together, longest first.

    Padding stands at the end, where it changes nothing that comes before it.
    """
    lengths = (calibration.tokens != PADDING).sum(1)
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = int(lengths[order[start]])
        rows = order[start : start + max(1, most // longest)]
        tokens = calibration.tokens[rows, :longest].astype(np.int64)
        real = tokens != PADDING
        yield np.where(real, tokens, 0), real
        start += len(rows)


class _Sums:
    """Sums of one layer over the tokens so far; `real` are the rows of a pass that count, None for all of them."""

    def __init__(self, mlp: GluMlp, device: torch.device) -> None:
        size = mlp.intermediate_size
        self.total = torch.zeros(size, dtype=torch.float32, device=device)
        self.gram = torch.zeros(size, size, dtype=torch.float32, device=device)
        self.real: Tensor | None = None

    def add(self, module: nn.Module, args: tuple[Tensor, ...]) -> None:
        neurons = args[0].reshape(-1, args[0].shape[-1])
        if self.real is not None:
            neurons = neurons.index_select(0, self.real)
        self.total += neurons.sum(0, dtype=torch.float32)
        add_products(self.gram, neurons)


def add_products(gram: Tensor, neurons: Tensor) -> None:
    """gram += neuronsᵀ · neurons, summed in float32.

    On a CUDA GPU 16-bit values are multiplied as they are, and float32 ones as tf32, whose rounding, of one part in two
    thousand and of either sign, is far below the damping.
    """
    if gram.device.type != "cuda":
        gram.addmm_(neurons.T.float(), neurons.float())
    elif neurons.dtype in (torch.bfloat16, torch.float16):
        gram += torch.mm(neurons.T, neurons, out_dtype=torch.float32)
    else:
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = True
        try:
            gram.addmm_(neurons.T.float(), neurons.float())
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before


@contextmanager
def _listening(mlps: Sequence[GluMlp], sums: dict[int, _Sums]) -> Iterator[None]:
    hooks = [mlp.down.register_forward_pre_hook(sums[mlp.layer].add) for mlp in mlps]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def as_written(model: PreTrainedModel) -> Iterator[None]:
    """Inside the block each module computes as its class says: what is compiled or fused may pass hooks by."""
    replaced: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for module in model.modules():
        own = {name: module.__dict__[name] for name in ("forward", "_compiled_call_impl") if name in module.__dict__}
        if own:
            replaced.append((module.__dict__, own))
            for name in own:
                del module.__dict__[name]
    try:
        yield
    finally:
        for attributes, own in replaced:
            attributes.update(own)


def _finite(seen: Activations, layer: int) -> Activations:
    if not bool(seen.gram.diagonal().isfinite().all() & seen.total.isfinite().all()):
        raise UserError(
            f"What the neurons of layer {layer} do on the calibration text is NaN or infinite: choose --dtype float32 "
            "or bfloat16, or calibrate on other text."
        )
    return seen
