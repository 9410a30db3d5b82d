"""The largest batch that fits, on a simulated memory: forecast where nothing is tried, found by trying elsewhere."""

from __future__ import annotations

import pytest

from engine.planning.profiling import LARGEST, Workload
from engine.profile.counting import Shape
from engine.profile.largest import MOST_ON_GPU, forecast, largest

SHAPE = Shape(body=0, head=0, cache_values=100, attended=0, itemsize=2)
REQUEST = Workload.plain(LARGEST, 10, 5)
SIZES = {"hidden_size": 4, "intermediate_size": 6, "vocab_size": 50}
OF_ONE = 15 * 100 * 2 + 10 * (8 * 4 + 3 * 6) * 2 + 50 * (2 + 4)  # cache, a pass, the last token's logits


def test_a_forecast_leaves_a_tenth_of_the_memory() -> None:
    assert OF_ONE == 4300
    assert forecast(10 * OF_ONE, SHAPE, REQUEST, **SIZES) == 9
    assert forecast(OF_ONE, SHAPE, REQUEST, **SIZES) == 0


@pytest.mark.parametrize("room", [1, 2, 7, 63, 64, 100, 1000, 4095, 10**6])
@pytest.mark.parametrize("guess", [0.5, 1.0, 1.7])
def test_trying_finds_what_a_memory_holds_to_an_eighth(room: int, guess: float) -> None:
    """Whether the forecast was too low or too high."""
    tried: list[int] = []

    def goes(batch: int) -> bool:
        tried.append(batch)
        return batch <= room

    found = largest(int(guess * room), goes)
    assert found <= room
    assert found > 0.85 * min(room, MOST_ON_GPU) or found == min(room, MOST_ON_GPU)
    assert len(tried) <= 6


def test_a_memory_that_holds_none_says_so() -> None:
    assert largest(3, lambda batch: False) == 0
