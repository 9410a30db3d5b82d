"""Where runs are carried out, in the words of the options and of a sweep file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import UserError

LOCAL = "local"
Alone = Literal["finish", "stop"]
"""What becomes of a worker on a cluster that nobody asks after any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """`on` is this host (`local`) or a Ray cluster (`ray`, `ray://HOST:PORT`); `gpus` are those of this host, side by
    side: numbers with commas, or `all`.

    Raises:
        UserError: there is no such place.
    """

    on: str = LOCAL
    alone: Alone = "finish"
    gpus: str | None = None

    def __post_init__(self) -> None:
        if self.on not in (LOCAL, "ray") and self.on[:6] != "ray://":
            raise UserError(f"Nothing is carried out on '{self.on}': give local, ray, or ray://HOST:PORT.")
        if self.alone not in ("finish", "stop"):
            raise UserError(f"Workers that are left alone cannot '{self.alone}': give finish or stop.")
        if self.gpus is not None and self.is_cluster:
            raise UserError(f"gpus are this host's, and on {self.on} takes the cluster's: leave one of them out.")

    @property
    def is_cluster(self) -> bool:
        return self.on != LOCAL

    @property
    def address(self) -> str | None:
        """Of another host's cluster."""
        return None if self.on in (LOCAL, "ray") else self.on

    @property
    def words(self) -> list[str]:
        """As options of `run` and `resume`; none where they are the usual ones."""
        usual = Where()
        told = {"--gpus": self.gpus, "--on": self.on, "--alone": self.alone}
        return [
            word
            for option, value in told.items()
            if value is not None and value != getattr(usual, option[2:])
            for word in (option, value)
        ]
