"""Documents and answers of a bundle, once its tables are in: each run's beside the database, none of ours touched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from warehouse.store import confine, kept_documents, run_folders, statements


def keep(database: Path, kinds: Sequence[str], new: Collection[str], run_ids: Sequence[str], folder: Path) -> None:
    """Take over those of runs that brought something new, or have none here; runs of our own have theirs.

    `folder` holds the bundle's files, which have been checked. A crash before the end is mended by importing again.

    Raises:
        OSError: the folder cannot be written.
    """
    import duckdb

    if not kinds:
        return
    with duckdb.connect(config={**confine.config([folder])}) as con:
        confine.confine(con, [folder])
        con.execute(statements.query("bundle_memory"))
        for run_id in run_ids:
            ours = (run_folders.root(database) / run_id / "journal.jsonl").exists()
            if ours or (run_id not in new and kept_documents.folder_of(database, run_id).is_dir()):
                continue
            files = {kind: folder / f"{run_id}.{kind}.parquet" for kind in kinds}
            for kind, file in files.items():
                statement = statements.query("bundle_keep").replace("{run_id}", run_id)
                source = _quoted(folder / f"{kind}.parquet")
                con.execute(statement.replace("{source}", source).replace("{path}", _quoted(file)))
            if con.execute(statements.query("bundle_file_rows"), {"path": str(files[kinds[0]])}).fetchall() != [(0,)]:
                kept_documents.keep(database, run_id, files)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
