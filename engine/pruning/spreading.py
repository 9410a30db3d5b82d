"""A model that is larger than one GPU, its layers spread over several by accelerate's device map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils.import_utils import is_accelerate_available

from engine.errors import UserError
from engine.pruning.glu import skeleton
from warehouse.numbers import format_bytes

_FOR_WEIGHTS = 0.8  # of what is free on a GPU; the rest is for what a forward pass holds


def device_map(
    config: PretrainedConfig, dtype: torch.dtype, room: Mapping[int, int], *, trust_remote_code: bool = False
) -> dict[str, int]:
    """On which GPU, by CUDA's number, each part of a model goes: whole layers, in their order.

    Args:
        room: the bytes that are free on each GPU.

    Raises:
        UserError: accelerate is not installed, or the weights do not fit.
    """
    if not is_accelerate_available():
        raise UserError(
            "A model over several GPUs needs accelerate, which is not installed: `pip install prune-tui[large]`, or "
            "--cards 1 for a model that fits on one."
        )
    from accelerate import infer_auto_device_map
    from accelerate.utils import get_balanced_memory

    model = skeleton(config, trust_remote_code=trust_remote_code)
    model.tie_weights()
    whole = list(model._no_split_modules or ())
    limits: dict[int | str, int | str] = {number: int(_FOR_WEIGHTS * free) for number, free in room.items()}
    balanced: Any = get_balanced_memory(model, limits, dtype=dtype, no_split_module_classes=whole)
    found = infer_auto_device_map(
        model, {number: balanced[number] for number in room}, no_split_module_classes=whole, dtype=dtype
    )
    places = {part: place for part, place in found.items() if isinstance(place, int)}
    if outside := found.keys() - places.keys():
        size = sum(parameter.numel() for parameter in model.parameters()) * dtype.itemsize
        raise UserError(
            f"The model's weights, {format_bytes(size)}, do not fit on {len(room)} GPUs with "
            f"{format_bytes(sum(room.values()))} free, of which a forward pass needs some ({min(outside)} is left): "
            "ask for more with --cards, or for another --dtype."
        )
    return places


def room_on(cards: int) -> dict[int, int]:
    """The bytes free on the first GPUs that this process sees.

    Raises:
        UserError: it sees fewer.
    """
    there = torch.cuda.device_count()
    if there < cards:
        raise UserError(f"This run asks for {cards} GPUs, and there {'is' if there == 1 else 'are'} {there}.")
    return {number: torch.cuda.mem_get_info(number)[0] for number in range(cards)}


def spread_over(model: nn.Module) -> int:
    """How many devices a loaded model's parts are on."""
    return len(set(getattr(model, "hf_device_map", {}).values()) or {0})


def answers_at_home(model: PreTrainedModel) -> None:
    """Let the layers below the output, and the output by itself, answer on the device that they were asked from: what
    asks them looks at one device only.
    """
    from accelerate.hooks import AlignDevicesHook, add_hook_to_module

    output = model.get_output_embeddings()
    assert output is not None
    for part in (model.base_model, output):
        add_hook_to_module(part, AlignDevicesHook(io_same_device=True), append=True)
