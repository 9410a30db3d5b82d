"""Names by which people call a model or a run: shorter than the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What a run goes by."""

    @property
    def run_id(self) -> str: ...

    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=Named)


def short_name(model: str) -> str:
    """The part of a model's name that tells it apart: without its owner, or the way to its folder."""
    return model.rstrip("/").rsplit("/", 1)[-1]


def same_name(model: str, other: str) -> bool:
    """Whether two names are of one model as far as their last parts tell, in any case."""
    return short_name(model).lower() == short_name(other).lower()


def public_name(model: str) -> str:
    """A model's name as it may leave this machine: of one that lies in a folder, the folder's."""
    return short_name(model) if model.startswith(("/", "~", ".")) else model


def pruned_with(method: str, repair: str | None) -> str:
    """How a model was made narrower, in a word or two: `maw`, or `obs + lsq`."""
    return method if repair in (None, "none") else f"{method} + {repair}"


def runs_called(text: str, runs: Sequence[R]) -> list[R]:
    """The runs that a person means by an id, else by a name, else by the beginning of an id."""
    return (
        [run for run in runs if run.run_id == text]
        or [run for run in runs if run.name == text]
        or [run for run in runs if text and run.run_id.startswith(text)]
    )


def sweep_called(sweep: str, name: str | None) -> str:
    """A sweep's name, or the end of its id."""
    return name or f"sweep {sweep[-6:]}"
