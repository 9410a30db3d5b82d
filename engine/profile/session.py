"""One request shape on one engine: prompts that are filled in, and steps that write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Mark = Callable[[], None]


class CannotMeasureError(Exception):
    """Why an engine, or a mode of it, has no figure for this model on this machine."""


class Session(Protocol):
    """A batch of prompts of one length. Greedy, and never ended early: every level writes as many tokens."""

    def prefill(self) -> None:
        """Fill the cache with the prompts and choose the first token of each; begins anew each time."""
        ...

    def decode(self, mark: Mark) -> None:
        """Write the other tokens, from where the prefill ended; `mark` after each step. May be repeated."""
        ...

    def written(self) -> Tensor:
        """The token that each request ended with: int64 [batch]."""
        ...
