"""Python's and NumPy's global random numbers, for each thread its own.

lm-eval's tasks draw from `random` and `numpy.random` while their documents are read, while their prompts are written
and while answers are judged, and a sequence is the same again only where nobody else draws from it. Side by side they
would take from one another, and compiling a model puts the sequence back to where it was when it began.

The functions of both modules are replaced by such that ask the thread they are called in. A thread that has not called
`own_draws` has the modules' own sequence, as before.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

import numpy as np

# NumPy's functions that are no methods of its generator, and what they come to.
_NUMPY_FUNCTIONS = {"seed": "seed", "ranf": "random_sample", "sample": "random_sample"}
_own = threading.local()


@cache
def share_out_draws() -> None:
    """Give every thread of this process its own draws from now on, if it asks for them.

    To be called before the modules of tasks are imported, which may take functions out of `random` by name.
    """
    modules: list[tuple[str, Any, Any]] = [
        ("python", random, random.random),
        ("numpy", np.random, np.random.random_sample),
    ]
    for kind, module, bound in modules:
        everybodys = bound.__self__  # the generator that the functions are methods of
        methods = {name: name for name, one in vars(module).items() if getattr(one, "__self__", None) is everybodys}
        for name, method in (methods | (_NUMPY_FUNCTIONS if module is np.random else {})).items():
            setattr(module, name, _of_this_thread(kind, method, getattr(module, name)))


@contextmanager
def own_draws(seed: int, numpy_seed: int) -> Iterator[None]:
    """In this thread, `random` and `numpy.random` begin at these seeds, and are nobody else's, until the block ends."""
    _own.python, _own.numpy = random.Random(seed), np.random.RandomState(numpy_seed)
    try:
        yield
    finally:
        del _own.python, _own.numpy


def _of_this_thread(kind: str, method: str, shared: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(shared)
    def function(*args: Any, **kwargs: Any) -> Any:
        mine = getattr(_own, kind, None)
        return (shared if mine is None else getattr(mine, method))(*args, **kwargs)

    return function
