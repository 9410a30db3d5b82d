"""What of a journal is new to the warehouse, and whether the journal is still the one that was merged.

A journal only ever grows, but a damaged disk or a restored copy can cut it back after it was merged; the run is then
resumed, and other events get the numbers of those that went lost. What the warehouse has of the lost ones stays: it
was measured. It gets numbers below zero, which no line of a journal has, and so makes room for the new events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.merging import rows
from warehouse.records.events import Event, parse_line
from warehouse.stats import pairing
from warehouse.store import journal, statements
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Merged = Mapping[int, tuple[str, datetime | None]]
"""Kind and time of an event by its number, as the warehouse has them; the time is None if the event has no rows."""

_LOOK_BACK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Continuation:
    """`events` to merge, the `end` of the journal after them, and how far it had been merged when it was longer."""

    events: list[Event]
    end: int
    cut_from: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a journal was merged: the byte, and the number of the last event, with its kind and its time."""

    end: int
    last_seq: int
    kind: str
    recorded_at: datetime | None


def positions(con: DuckDBPyConnection, run_id: str | None = None) -> dict[str, Position]:
    """Of every run that was merged, or of one: of all at once it takes hardly longer."""
    rows = con.execute(statements.query("journal_positions"), {"run_id": run_id}).fetchall()
    return {run: Position(*position) for run, *position in rows}


def new_events(con: DuckDBPyConnection, run_id: str, path: Path, before: Position | None) -> Continuation:
    """The events that follow what was merged, and the offset after them; all of them where that cannot be told.

    Raises:
        FileNotFoundError: there is no journal.
        JournalError: it is damaged.
    """
    if before is None:
        return Continuation(*journal.read(path))
    if before.end <= path.stat().st_size:
        last = _last_before(path, before.end, before.last_seq, {before.last_seq: (before.kind, before.recorded_at)})
        if last is not None:
            return Continuation(*journal.read(path, before.end, after=last))
    events, end = journal.read(path)
    if events and (lost := _first_lost(events, _merged(con, run_id))) is not None:
        _set_aside(con, run_id, lost)
    elif end < before.end:
        return Continuation(events, end, cut_from=before.end)
    return Continuation(events, end)


def _merged(con: DuckDBPyConnection, run_id: str) -> Merged:
    rows = con.execute(statements.query("merged_events"), {"run_id": run_id}).fetchall()
    return {seq: (kind, recorded_at) for seq, kind, recorded_at in rows}


def _last_before(path: Path, start: int, last_seq: int, merged: Merged) -> int | None:
    """The number of the event before `start`; None unless the last merged one stands where it should, shortly before
    that.
    """
    with path.open("rb") as file:
        file.seek(max(0, start - _LOOK_BACK))
        before = file.read(start - file.tell())
    if not before.endswith(b"\n"):
        return None
    last: int | None = None
    for line in reversed(before.splitlines()):
        try:
            event = parse_line(line)
        except ValueError:
            return None
        last = event.seq if last is None else last
        if event.seq <= last_seq:
            return last if event.seq == last_seq and _same(event, merged) else None
    return None


def _first_lost(events: Iterable[Event], merged: Merged) -> int | None:
    """The first number that means one event in the warehouse and another in the journal."""
    return next((event.seq for event in events if event.seq in merged and not _same(event, merged)), None)


def _same(event: Event, merged: Merged) -> bool:
    kind, recorded_at = merged[event.seq]
    return event.kind == kind and recorded_at in (None, rows.utc(event.t))


def _set_aside(con: DuckDBPyConnection, run_id: str, first_seq: int) -> None:
    ((lowest, highest),) = con.execute(statements.query("seq_range"), {"run_id": run_id}).fetchall()
    tables = [name for (name,) in con.execute(statements.query("tables_of_events")).fetchall()]
    moved = {"run_id": run_id, "first_seq": first_seq, "shift": highest + 1 - min(0, lowest)}
    with transaction(con):
        pairing.note_deleted(con, run_id)
        for table in tables:
            con.execute(statements.query("set_aside").format(table=table), moved)
        con.execute(statements.query("reset_position"), {"run_id": run_id})
