"""What memory a planned run needs, what that is made of, and whether its device has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from engine.planning.calibration_forecast import CalibrationForecast, calibration_forecast
from engine.planning.memory import (
    CACHE_SHARE,
    CPU_CACHE,
    CPU_SEQUENCES,
    CPU_TOKENS,
    GPU_SEQUENCES,
    GPU_TOKENS,
    batch_tokens,
    working_bytes,
)
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape, itemsize
from warehouse.numbers import format_bytes
from warehouse.records.reading import Reading

# What torch, transformers and lm-eval were seen to hold in main memory.
_LIBRARIES = 2**29
_FEWEST_TOKENS = 256
_PARTS = ("weights", "working", "libraries")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryForecast:
    """Bytes at the worst moment of a run, CUDA's own not counted. `tokens` are the most of one forward pass; `place` is
    the device in words.

    `calibration` is for what neurons do together, of all layers where these fit, else of one at a time.

    `free` is None where it is not known. `cache` is what text generation may add for each token of prompt and answer:
    all sequences that are generated at a time, 0 if no task generates; all of it is kept below `cache_limit`, None
    where nothing limits it or the limit is not known. `advice` is for a run that does not fit.
    """

    weights: int
    working: int
    libraries: int
    tokens: int
    place: str
    free: int | None
    cache: int
    cache_limit: int | None
    advice: str | None = None
    calibration: int = 0

    @property
    def needed(self) -> int:
        return self.weights + self.working + self.libraries + self.calibration


def memory_forecast(
    plan: RunPlan, shape: Shape, readings: Sequence[Reading], *, generates: bool = False
) -> MemoryForecast:
    """`readings` are those of this machine's GPUs and of its CPU."""
    device = shape.device_for(plan.device)
    place, free = _room(device, readings, plan.cards)
    dtype = shape.dtype_for(plan.dtype, plan.device)
    seen = _with(shape, dtype, device, free, plan.batch_tokens, plan.cards)
    looked_at = calibration_forecast(plan, shape)
    sequences = GPU_SEQUENCES if _is_cuda(device) else CPU_SEQUENCES
    return MemoryForecast(
        **seen,
        place=place,
        free=free,
        cache=sequences * shape.cache_per_token * itemsize(dtype) if generates else 0,
        cache_limit=_cache_limit(device, free, seen["weights"]),
        advice=_advice(shape, dtype, device, place, free, plan, _gpus(readings)),
        calibration=0 if looked_at is None else _held(looked_at, free, sum(seen[part] for part in _PARTS)),
    )


def _held(looked_at: CalibrationForecast, free: int | None, others: int) -> int:
    fits = free is None or looked_at.bytes <= free - others
    return looked_at.bytes if fits else looked_at.moments


def _cache_limit(device: str, free: int | None, weights: int) -> int | None:
    if not _is_cuda(device):
        return CPU_CACHE
    return int(CACHE_SHARE * max(free - weights, 0)) if free else None


def _with(
    shape: Shape, dtype: str, device: str, free: int | None, tokens: int | None, cards: int = 1
) -> dict[str, int]:
    """On each of so many GPUs, of which each holds about as many layers."""
    item = itemsize(dtype)
    weights = -(-shape.parameters * item // cards)
    if tokens is None and _is_cuda(device):
        sizes = {"hidden_size": shape.hidden_size, "intermediate_size": shape.intermediate_size, "itemsize": item}
        tokens = GPU_TOKENS if free is None else batch_tokens(free - weights, **sizes)
    elif not _is_cuda(device):
        tokens = min(tokens or CPU_TOKENS, CPU_TOKENS)
    assert tokens is not None
    working = working_bytes(
        tokens,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        vocab_size=shape.vocab_size,
        itemsize=item,
        fused=shape.fused,
    )
    return {
        "weights": weights,
        "working": working,
        "libraries": 0 if _is_cuda(device) else _LIBRARIES,
        "tokens": tokens,
    }


def _advice(
    shape: Shape, dtype: str, device: str, place: str, free: int | None, plan: RunPlan, gpus: int
) -> str | None:
    """What to change so that the run fits; None where it does, or where that is not known."""
    tokens = plan.batch_tokens

    def needed(dtype: str, tokens: int | None, cards: int = plan.cards) -> int:
        seen = _with(shape, dtype, device, free, tokens, cards)
        return seen["weights"] + seen["working"] + seen["libraries"]

    if free is None or (asked := needed(dtype, tokens)) <= free:
        return None
    ways: list[str] = []
    batch = _with(shape, dtype, device, free, tokens, plan.cards)["tokens"]
    while batch > _FEWEST_TOKENS and needed(dtype, batch) > free:
        batch //= 2
    if needed(dtype, batch) <= free:
        ways.append(f"a batch of {batch:,} tokens")
    if itemsize(dtype) > 2 and needed("bfloat16", tokens) <= free:
        ways.append("dtype bfloat16")
    more = (cards for cards in range(plan.cards + 1, gpus + 1) if needed(dtype, tokens, cards) <= free)
    if _is_cuda(device) and not plan.is_calibrated and (cards := next(more, None)) is not None:
        ways.append(f"--cards {cards} (its layers on {cards} GPUs, without graphs)")
    lack = f"{place} lacks {format_bytes(asked - free)}"
    if ways:
        return f"{lack}: the run fits with {' or with '.join(ways)}."
    return f"{lack}: free some memory, or choose another device or a smaller model."


def _gpus(readings: Sequence[Reading]) -> int:
    return len({reading.device for reading in readings if reading.device[:4] == "gpu "})


def _is_cuda(device: str) -> bool:
    return device.startswith("cuda")


def _room(device: str, readings: Sequence[Reading], cards: int = 1) -> tuple[str, int | None]:
    """The device in words, and the bytes free on it; of several on the one that has the fewest."""
    if cards > 1:
        frees = [_free(f"gpu {number}", readings) for number in map(_physical, range(cards)) if number is not None]
        told = [free for free in frees if free is not None]
        return f"each of {cards} GPUs", min(told) if len(told) == cards else None
    if not _is_cuda(device):
        return "this machine", _free("cpu", readings)
    index = _physical(int(device.partition(":")[2] or 0))
    if index is None:
        return "the GPU", None
    return f"GPU {index}", _free(f"gpu {index}", readings)


def _free(device: str, readings: Sequence[Reading]) -> int | None:
    return next((reading.memory_free for reading in readings if reading.device == device), None)


def _physical(index: int) -> int | None:
    """The driver's number of a GPU that CUDA counts from zero; None where they are chosen by their ids."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return index
    names = visible.split(",")
    return int(names[index]) if index < len(names) and names[index].strip().isdecimal() else None
