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

from warehouse import journal, pairing, rows, statements
from warehouse.records.events import Event, parse_line
from warehouse.transaction import transaction

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


def new_events(con: DuckDBPyConnection, run_id: str, path: Path) -> Continuation:
    """The events that follow what was merged, and the offset after them; all of them where that cannot be told.

    Raises:
        FileNotFoundError: there is no journal.
        JournalError: it is damaged.
    """
    start, last_seq = con.execute(statements.query("journal_position"), {"run_id": run_id}).fetchall()[0]
    if last_seq < 0:
        return Continuation(*journal.read(path))
    if start <= path.stat().st_size:
        before = _last_before(path, start, last_seq, _merged(con, run_id, last_seq))
        if before is not None:
            return Continuation(*journal.read(path, start, after=before))
    events, end = journal.read(path)
    if events and (lost := _first_lost(events, _merged(con, run_id, 0))) is not None:
        _set_aside(con, run_id, lost)
    elif end < start:
        return Continuation(events, end, cut_from=start)
    return Continuation(events, end)


def _merged(con: DuckDBPyConnection, run_id: str, first_seq: int) -> Merged:
    found = con.execute(statements.query("merged_events"), {"run_id": run_id, "first_seq": first_seq}).fetchall()
    return {seq: (kind, recorded_at) for seq, kind, recorded_at in found}


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
        pairing.note_forgotten(con, run_id)
        for table in tables:
            con.execute(statements.query("set_aside").format(table=table), moved)
        con.execute(statements.query("forget_position"), {"run_id": run_id})
