"""Taking a run out of the warehouse."""

from __future__ import annotations

from pathlib import Path

from warehouse.stats import pairing
from warehouse.store import db, identity, kept_documents, statements


def delete_run(path: Path, run_id: str, *, wait: float = 0.0) -> None:
    """Remove everything a run brought into the database, in one transaction, and what a bundle brought beside it.

    Its journal brings it all back when it is merged again: whoever deletes a run removes its folder as well.

    Raises:
        DatabaseBusyError: another process holds the file.
        UserError: as `db.open_write`.
    """
    with db.open_write(path, wait=wait) as con:
        tables = [name for (name,) in con.execute(statements.query("tables_of_runs")).fetchall()]
        con.begin()
        try:
            models = identity.models_of(con, run_id)
            pairing.note_deleted(con, run_id)
            for table in tables:
                con.execute(statements.query("delete_run").format(table=table), {"run_id": run_id})
            identity.resolve(con, models)
            con.commit()
        except BaseException:
            con.rollback()
            raise
        pairing.refresh(con)
    kept_documents.delete(path, run_id)
