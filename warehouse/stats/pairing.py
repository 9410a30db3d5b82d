"""Keeping `paired_deltas` up to date: what the documents of a pruned width and of its baseline say together.

And `paired_methods`: the same of two methods' widths of one model, at one level.

Whatever changes a cell notes the cell's task in `pairing_due`, in its own transaction; `refresh` works that list off
afterwards, in transactions of its own, and can be cut off at any point: what it had not finished is still on the list.
Pairs that are there already are not computed again, and only the runs that take part are read from `samples`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.store import db, identity, statements
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TASKS_AT_ONCE = 16


def note_cells(con: DuckDBPyConnection, run_id: str, first_seq: int = 0) -> None:
    """Note a run's cells from this event on as due, inside the caller's transaction."""
    con.execute(statements.query("pairing_note"), {"run_id": run_id, "first_seq": first_seq})


def note_tasks(con: DuckDBPyConnection, run_id: str) -> None:
    """Note that a run's tasks are told anew, inside the caller's transaction: what was asked may be known now."""
    for name in ("pairing_unclear", "pairing_unclear_methods"):
        con.execute(statements.query(name), {"run_id": run_id})
    note_cells(con, run_id)


def note_deleted(con: DuckDBPyConnection, run_id: str) -> None:
    """Before a run's rows go, inside the same transaction: what was compared with it needs another baseline."""
    note_cells(con, run_id)
    for name in ("pairing_delete", "pairing_delete_methods"):
        con.execute(statements.query(name), {"run_id": run_id})


def refresh(con: DuckDBPyConnection, *, seconds: float | None = None) -> bool:
    """Compare what is due, and say whether nothing is left; after `seconds` the rest is left for the next time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while counts := con.execute(statements.query("pairing_shares_due")).fetchall():  # of an older version
        if deadline is not None and time.monotonic() > deadline:
            return False
        with transaction(con):
            _find_intervals(con, counts)
    for about in _batches(con):
        if deadline is not None and time.monotonic() > deadline:
            return False
        _compare(con, about)
    return True


def _batches(con: DuckDBPyConnection) -> Iterator[dict[str, list[Any]]]:
    """What is due, as three lists side by side: some tasks of one model under one set of conditions, whose samples are
    in memory together; of models without samples, where nothing can be compared, all of them at once.
    """
    together: list[tuple[Any, ...]] = []
    for model_id, conditions, tasks, sampled in con.execute(statements.query("pairing_due")).fetchall():
        due = [(model_id, conditions, task) for task in tasks]
        if not sampled:
            together += due
            continue
        for start in range(0, len(due), _TASKS_AT_ONCE):
            yield _columns(due[start : start + _TASKS_AT_ONCE])
    if together:
        yield _columns(together)


def _columns(due: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    names = ("model_ids", "conditions", "tasks")
    return {name: list(column) for name, column in zip(names, zip(*due, strict=True), strict=True)}


def rebuild(path: Path, *, wait: float = 0.0) -> int:
    """Drop every comparison, make it again from the samples, and count them: a newer version may know more metrics.

    Raises:
        DatabaseBusyError, UserError: as `db.open_write`; and where there is no file.
    """
    with db.open_read(path, wait=wait):
        pass  # a missing file is refused, not made
    with db.open_write(path, wait=wait) as con:
        with transaction(con):
            identity.resolve(con, identity.models_of(con))
            con.execute(statements.query("pairing_clear"))
            con.execute(statements.query("pairing_note_all"))
        refresh(con)
        return con.execute(statements.query("pairing_count")).fetchall()[0][0]


def _compare(con: DuckDBPyConnection, about: dict[str, Any]) -> None:
    con.execute(statements.query("pairing_deltas"), about)
    con.execute(statements.query("pairing_methods"))
    [(new,)] = con.execute(statements.query("pairing_work")).fetchall()
    if new:
        _find(con)
    with transaction(con):
        con.execute(statements.query("pairing_replace"))
        con.execute(statements.query("pairing_replace_methods"), about)
        if new:
            for name in ("pairing_insert", "pairing_insert_methods"):
                con.execute(statements.query(name))
            while counts := con.execute(statements.query("pairing_shares_due")).fetchall():
                _find_intervals(con, counts)
        con.execute(statements.query("pairing_done"), about)
    if new:
        con.execute(statements.query("pairing_no_samples"))


def _find(con: DuckDBPyConnection) -> None:
    """What the documents say of each pair in `pairing_work`, as the temporary table `pairing_found`."""
    for name in ("pairing_parts", "pairing_no_samples"):
        con.execute(statements.query(name))
    for run_id, seqs in con.execute(statements.query("pairing_cells")).fetchall():
        parameters = {"run_id": run_id, "seqs": seqs, "first_seq": min(seqs), "last_seq": max(seqs)}
        con.execute(statements.query("pairing_samples"), parameters)
    for name in ("pairing_pairs", "pairing_results", "pairing_bootstraps"):
        con.execute(statements.query(name))
    for work, value, baseline in con.execute(statements.query("pairing_others")).fetchall():
        _resample(con, work, value, baseline)
    con.execute(statements.query("pairing_found"))


def _find_intervals(con: DuckDBPyConnection, counts: list[tuple[int, int, int]]) -> None:
    """Intervals and p values of right-or-wrong scores: `counts` are questions lost, gained and asked."""
    from warehouse.stats.paired_shares import interval

    lost, gained, pairs = (list(column) for column in zip(*counts, strict=True))
    intervals = interval(gained, lost, pairs)
    columns = {"lost": lost, "gained": gained, "pairs": pairs}
    columns |= {name: getattr(intervals, name).tolist() for name in ("low", "high", "p_value")}
    con.execute(statements.query("pairing_shares_found"), columns)
    for name in ("pairing_shares", "pairing_shares_methods"):
        con.execute(statements.query(name))


def _resample(con: DuckDBPyConnection, work: int, value: float, baseline: float) -> None:
    import numpy as np  # only where there is something to resample

    from warehouse.stats.bootstrap import bootstrap
    from warehouse.stats.metric import Side

    columns = con.execute(statements.query("pairing_values"), {"work": work}).fetchnumpy()
    terms = {name: _matrix(columns.pop(name)) for name in ("terms_before", "terms_after")}
    numbers = {name: np.ma.filled(column.astype(float), np.nan) for name, column in columns.items()}
    result = bootstrap(
        before=Side(numbers["before"], numbers["weight_before"], terms["terms_before"], baseline),
        after=Side(numbers["after"], numbers["weight_after"], terms["terms_after"], value),
    )
    if result is not None:
        con.execute(statements.query("pairing_bootstrap"), {"work": work} | asdict(result))


def _matrix(lists: Any) -> Any:
    """Lists of one length as an array [documents, terms]; None if a document has none, or another length."""
    import numpy as np

    if any(one is np.ma.masked for one in lists) or len({len(one) for one in lists}) != 1:
        return None
    return np.array([np.ma.filled(one, np.nan) for one in lists], dtype=float)
