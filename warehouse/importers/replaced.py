"""What an import replaces: numbers that are current until it brings later ones of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.store import statements
from warehouse.text import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TOLD = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two numbers, and in what it may differ from the other beside its value."""

    run_id: str
    value: float
    n: int | None
    revision: str | None
    harness_version: str | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A number that is no longer the current one of its kind, and the one that is."""

    model: str
    level: str
    unpruned: bool
    task: str
    metric: str
    filter: str
    num_fewshot: int | None
    before: Side
    after: Side

    @property
    def differs(self) -> tuple[str, ...]:
        """In what the two measurements are known to differ."""
        names = {"n": "number of documents", "revision": "revision", "harness_version": "lm-eval version"}
        pairs = {name: (getattr(self.before, name), getattr(self.after, name)) for name in names}
        return tuple(names[name] for name, pair in pairs.items() if None not in pair and pair[0] != pair[1])

    def __str__(self) -> str:
        metric = self.metric if self.filter == "none" else f"{self.metric} ({self.filter})"
        at = "unpruned" if self.unpruned else f"at level {self.level}"
        differs = f"; another {', another '.join(self.differs)}" if self.differs else ""
        return f"{self.task} {metric} of {self.model}, {at}: {_side(self.before)} by {_side(self.after)}{differs}"


class WouldReplaceError(UserError):
    """An import would take the place of numbers, and nobody has said that it may."""

    def __init__(self, replaced: Sequence[Replaced]) -> None:
        self.replaced = tuple(replaced)
        more = f" and {len(replaced) - _TOLD} more" if len(replaced) > _TOLD else ""
        listed = "; ".join(map(str, replaced[:_TOLD]))
        count = counted(len(replaced), "number")
        super().__init__(
            f"This would replace {count} that the database has of the same thing: {listed}{more}. Nothing is imported: "
            "add --replace to do so, or import into another database (--db)."
        )


@contextmanager
def watching(
    con: DuckDBPyConnection, run_ids: Sequence[str], models: Sequence[str]
) -> Iterator[Callable[[], tuple[Replaced, ...]]]:
    """Inside a transaction: a function that tells what the runs have replaced since, among these models' numbers."""
    about = {"models": list(models)}
    con.execute(statements.query("import_before"), about)

    def replaced() -> tuple[Replaced, ...]:
        rows = con.execute(statements.query("import_replaced"), about | {"run_ids": list(run_ids)}).fetchall()
        return tuple(map(_replaced, rows))

    yield replaced
    con.execute(statements.query("import_drop_before"))


def _replaced(row: tuple[Any, ...]) -> Replaced:
    model, level, unpruned, task, metric, named_filter, num_fewshot, *sides = row
    before, after = Side(*sides[:5]), Side(*sides[5:])
    return Replaced(model, level, unpruned, task, metric, named_filter, num_fewshot, before, after)


def _side(side: Side) -> str:
    documents = "" if side.n is None else f"{counted(side.n, 'document')}, "
    return f"{side.value:g} ({documents}run {side.run_id})"
