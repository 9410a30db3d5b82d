"""What the screens ask the warehouse: SQL files with their parameters, run on short read-only connections.

A `Reader` blocks, so screens call it in a thread; `cancel` ends what it is at from any other thread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.read.cell_details import CellMetric, Flip, RunModel, RunVerdict, Scored
from warehouse.read.claims import Change, Claim, ClaimModel
from warehouse.read.grid import Entry
from warehouse.read.relations import Source
from warehouse.read.side_by_side import BestLevel, Improvement, LevelScore, Matched, PairTest
from warehouse.read.subjects import MeasuredSweep, MetricChoice, Subject
from warehouse.store import answers, statements
from warehouse.store.answers import Record

Rows = list[Any]
"""What answers a question: each row as the dataclass that `_KINDS` names, else as a dict."""

_INCLUDE = re.compile(r"/\* (?P<name>\w+) \*/")
_PARAMETER = re.compile(r"\$(?P<name>[a-z_]+)")


class CancelledError(Exception):
    """Somebody wanted something else before the answer was there."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query file and its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def statement(self, made: Collection[str] = ()) -> str:
        """The file's text, with the queries it builds on put in; those that were `made` into tables are named only."""
        return _text(self.name, made)

    def builds_on(self) -> list[Question]:
        return [Question(name, self.parameters) for name in _INCLUDE.findall(statements.query(self.name))]

    def bound(self, statement: str | None = None) -> dict[str, Any]:
        """The parameters that the statement has: DuckDB objects to any other."""
        names = set(_PARAMETER.findall(self.statement() if statement is None else statement))
        return {name: value for name, value in self.parameters.items() if name in names}

    def sql(self) -> str:
        """The same as one statement to read, change and run in the Query screen."""
        text = _PARAMETER.sub(lambda match: literal(self.parameters[match["name"]]), self.statement())
        return text.rstrip().removesuffix(";") + "\n"


def literal(value: Any) -> str:
    """A value as SQL writes it: null, a number, text in quotes or a list of these."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            items = [literal(item) for item in value]
            return "[" + ", ".join(items) + "]" if items else "[]::varchar[]"


class Reader:
    """Asks one database; one question, or group of questions, at a time for each group name."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._busy: dict[str, Any] = {}
        self._turn: dict[str, int] = {}

    def turn(self, group: str) -> int:
        """Take the next turn in a group: whoever still reads for an older one is stopped."""
        with self._lock:
            self._turn[group] = self._turn.get(group, 0) + 1
            if (connection := self._busy.pop(group, None)) is not None:
                connection.interrupt()
            return self._turn[group]

    def current(self, group: str) -> int:
        return self._turn.get(group, 0)

    def cancel(self) -> None:
        """Stop everything under way."""
        for group in list(self._turn):
            self.turn(group)

    def ask(self, group: str, turn: int, *questions: Question) -> list[Rows]:
        """The answers, all of the same moment.

        Raises:
            CancelledError: a newer turn of the group was taken.
            UserError: the file is missing, busy (DatabaseBusyError) or not ours; or a query failed.
        """
        import duckdb

        from warehouse.errors import UserError
        from warehouse.store import db, studies

        if self._turn.get(group) != turn:
            raise CancelledError
        with db.open_read(self.database) as connection:
            with self._lock:
                if self._turn.get(group) != turn:
                    raise CancelledError
                self._busy[group] = connection
            try:
                connection.execute(statements.query("screen_limit"))
                studies.make_for(connection, "\n".join(question.statement() for question in questions))
                made = _make_shared(connection, questions)
                return [_rows(connection, question, made) for question in questions]
            except duckdb.InterruptException:
                if self._turn.get(group) != turn:
                    raise CancelledError from None
                raise UserError("The database is too large for this screen: it had no answer after a minute.") from None
            except duckdb.Error as error:
                raise UserError(f"The database could not answer: {' '.join(str(error).split())}") from error
            finally:
                with self._lock:
                    if self._busy.get(group) is connection:
                        del self._busy[group]


def stamp(database: Path) -> tuple[int, int] | None:
    """Changes when the file does; None while there is none. The file is not opened for it."""
    try:
        status = database.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _text(name: str, made: Collection[str] = ()) -> str:
    return _INCLUDE.sub(
        lambda match: f"from {match['name']}" if match["name"] in made else _nested(match["name"]),
        statements.query(name),
    )


def _nested(name: str) -> str:
    text = _text(name).rstrip().removesuffix(";")
    return "\n" + "\n".join(f"    {line}" if line else line for line in text.splitlines()) + "\n"


def _make_shared(connection: Any, questions: Sequence[Question]) -> list[str]:
    """What several of the questions build on, answered once and kept in temporary tables; their names."""
    parts = [part for question in questions for part in question.builds_on()]
    made: list[str] = []
    for part in parts:
        same = [other.bound() == part.bound() for other in parts if other.name == part.name]
        if part.name not in made and len(same) > 1 and all(same):
            text = part.statement().rstrip().removesuffix(";")
            connection.execute(f"create temp table {part.name} as {text}", part.bound())
            made.append(part.name)
    return made


def _rows(connection: Any, question: Question, made: Collection[str]) -> Rows:
    statement = question.statement(made)
    records = answers.records(connection.execute(statement, question.bound(statement)))
    kind = _KINDS.get(question.name)
    return records if kind is None else [kind(record) for record in records]


# The questions


def _of(kind: type[Any]) -> Callable[[Record], Any]:
    return lambda record: kind(**record)


_KINDS: dict[str, Callable[[Record], Any]] = {
    "matrix_models": _of(Subject),
    "matrix_metrics": _of(MetricChoice),
    "matrix_sweeps": _of(MeasuredSweep),
    "matrix_rows": Entry.of,
    "matrix_matched": _of(Matched),
    "matrix_levels": _of(LevelScore),
    "matrix_improvements": _of(Improvement),
    "matrix_tests": _of(PairTest),
    "matrix_best": _of(BestLevel),
    "cell_metrics": _of(CellMetric),
    "cell_flips": _of(Flip),
    "cell_documents": _of(Scored),
    "run_model": _of(RunModel),
    "run_verdicts": _of(RunVerdict),
    "claim_models": _of(ClaimModel),
    "claims": Claim.of,
    "claim_numbers": _of(Change),
    "console_names": Source.of,
}


def choices() -> Question:
    """What can be shown: models, methods, repairs and conditions."""
    return Question("matrix_models")


def chosen(
    name: str, subjects: Sequence[str], *, picked: Sequence[str] = (), search: str = "", **more: Any
) -> Question:
    """One of the questions that build on `matrix_rows`, about these subjects."""
    parts = [one.split("|", 3) for one in subjects]
    parameters = {
        "model_ids": list(dict.fromkeys(part[0] for part in parts)),
        "conditions": list(dict.fromkeys(part[-1] for part in parts)),
        "subjects": list(subjects),
        "picked": list(picked),
        "search": search,
    }
    return Question(name, parameters | more)
