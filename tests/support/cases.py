"""Cases of which the fast set has a few, and `--runslow` all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(count: int, cases: Iterable[Any], *, single: bool = False) -> list[Any]:
    """The cases as parameters, all slow but the first and each `count`-th after it.

    `single` says that a case is one argument, though it is a tuple.
    """
    several = [case if isinstance(case, tuple) and not single else (case,) for case in cases]
    return [pytest.param(*case, marks=() if at % count == 0 else pytest.mark.slow) for at, case in enumerate(several)]
