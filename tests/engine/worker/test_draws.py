"""What a thread draws from Python's and NumPy's global random numbers."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
import pytest

from engine.worker.draws import own_draws, share_out_draws

share_out_draws()


def drawn() -> list[float]:
    """Some of every kind: methods, and NumPy's functions that are none."""
    letters = list("abcdef")
    random.shuffle(letters)
    drawn = [random.random(), random.randint(0, 10**6), *map(ord, letters), random.getrandbits(20)]
    return [*drawn, *np.random.rand(2), *np.random.permutation(5), np.random.sample(), np.random.ranf()]


def seeded(seed: int, numpy_seed: int) -> list[float]:
    random.seed(seed)
    np.random.seed(numpy_seed)
    return drawn()


def test_own_draws_are_those_that_the_seeds_would_give_everybody() -> None:
    expected = seeded(3, 5)
    with own_draws(3, 5):
        assert drawn() == expected


def test_nobody_else_takes_from_them_or_puts_them_back() -> None:
    with own_draws(3, 5):
        expected = [*drawn(), *drawn()]
    with ThreadPoolExecutor(1) as other, own_draws(3, 5):
        found = drawn()
        other.submit(seeded, 8, 8).result()
        other.submit(lambda: random.setstate(Random(1).getstate())).result()
        other.submit(lambda: np.random.set_state(np.random.RandomState(1).get_state())).result()
        assert [*found, *drawn()] == expected


def test_they_take_nothing_from_anybody() -> None:
    expected = [*seeded(8, 8), *drawn()]
    found = seeded(8, 8)
    with own_draws(3, 5):
        drawn()
        random.seed(0)
        np.random.seed(0)
    assert [*found, *drawn()] == expected


def test_they_end_with_the_block() -> None:
    expected = seeded(8, 8)
    random.seed(8)
    np.random.seed(8)
    with pytest.raises(KeyError), own_draws(3, 5):
        raise KeyError
    assert drawn() == expected
