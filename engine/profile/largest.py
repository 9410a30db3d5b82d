"""The largest batch that fits: forecast by the memory that is free, and on a GPU found by trying from there."""

from __future__ import annotations

from collections.abc import Callable

from engine.planning.profiling import Workload
from engine.profile.counting import Shape

_SHARE_OF_MEMORY = 0.9
_TRIES = 6
MOST_ON_GPU, MOST_ON_CPU = 4096, 64
"""Beyond, a pass of prompts takes so long that nobody serves it."""


def forecast(
    free: float, shape: Shape, request: Workload, *, hidden_size: int, intermediate_size: int, vocab_size: int
) -> int:
    """Requests whose keys and values, activations of a pass and logits `free` bytes hold, with a tenth to spare."""
    cache = (request.prompt_tokens + request.new_tokens) * shape.cache_values * shape.itemsize
    passing = request.prompt_tokens * (8 * hidden_size + 3 * intermediate_size) * shape.itemsize
    logits = vocab_size * (shape.itemsize + 4)  # of the last token alone, and again in float32
    return int(_SHARE_OF_MEMORY * free / (cache + passing + logits))


def largest(likely: int, goes: Callable[[int], bool]) -> int:
    """The most requests that go, or nearly: half of what was too many is tried, then what is between; 0 if none do."""
    fits, beyond = 0, None
    batch = max(1, min(likely, MOST_ON_GPU))
    for _ in range(_TRIES):
        if goes(batch):
            fits = batch
        else:
            beyond = batch
        if fits == MOST_ON_GPU or (beyond is not None and beyond - fits <= max(1, beyond // 8)):
            break
        batch = min(2 * fits, MOST_ON_GPU) if beyond is None else max(1, (fits + beyond) // 2)
    return fits
