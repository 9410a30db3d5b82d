"""The empty database that new ones are copies of, and what a file's catalog is compared with.

Binding all views takes half a second of processor time, a copy of a file none: so one is kept in the user's cache
folder, with its catalog beside it. It is never needed: what is missing there, or cannot be trusted, is made anew, and
where nothing can be kept everything is made as often as it is asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache as remembered
from functools import lru_cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.store import cache, catalog, comments, statements
from warehouse.store.catalog import Catalog
from warehouse.store.definitions import temporary
from warehouse.store.statements import Migration

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The duckdb shells of 1.4 and 1.5 read this storage version; the file keeps it for good.
STORAGE_VERSION = "v1.4.0"
_FORM = 2  # of what is kept
_catalogs: dict[str, Catalog] = {}
version = remembered(metadata.version)  # it reads a file each time


def write(new: Path) -> None:
    """Make the database `new`, with this program's schema and no rows.

    Raises:
        OSError, duckdb.Error: it cannot be written.
    """
    kept = _kept() or _keep()
    content = None if kept is None else kept.content()
    if content is None:
        make(new)
        return
    with new.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def ours() -> Catalog:
    """The catalog of a database with this program's schema."""
    key = schema_key()
    if key not in _catalogs:
        kept = _kept() or _keep()
        _catalogs[key] = _in_scratch(statements.migrations(), definitions()) if kept is None else kept.catalog
    return _catalogs[key]


def at_step(version: int) -> Catalog:
    """The tables of a database that has been through the migrations up to this one."""
    return _in_scratch([migration for migration in statements.migrations() if migration.version <= version], ())


def make(new: Path) -> Catalog:
    """Make the database statement by statement, and return its catalog."""
    return _make(new, statements.migrations(), definitions())


def _in_scratch(migrations: Sequence[Migration], replaced: Sequence[str]) -> Catalog:
    with tempfile.TemporaryDirectory(prefix="prune-tui-schema-") as scratch:
        return _make(Path(scratch) / "empty.duckdb", migrations, replaced)


def _make(new: Path, migrations: Sequence[Migration], replaced: Sequence[str]) -> Catalog:
    import duckdb

    with duckdb.connect(new, config={"storage_compatibility_version": STORAGE_VERSION}) as con:
        con.begin()
        migrate(con, migrations)
        if replaced:
            define(con, replaced)
        con.commit()
        con.checkpoint()  # everything into the one file that gets the name; closing would not say if it failed
    with duckdb.connect(new, read_only=True) as con:  # some of a text is put another way until it has been in a file
        return catalog.read(con)


def migrate(con: DuckDBPyConnection, pending: Sequence[Migration]) -> None:
    """Apply migrations and note them in the file; inside the caller's transaction."""
    con.execute(statements.query("schema_ledger"))
    for migration in pending:
        con.execute(migration.text)
        con.execute(
            statements.query("record_migration"),
            {"version": migration.version, "name": migration.name, "sha256": migration.sha256},
        )


def define(con: DuckDBPyConnection, replaced: Sequence[str]) -> None:
    """Put macros and views in, in place of any of their names; inside the caller's transaction."""
    for definition in replaced:
        con.execute(definition)
    comments.describe_all(con, replaced)
    con.execute(statements.query("record_views"), {"sha256": views_digest()})


def define_for(con: DuckDBPyConnection) -> None:
    """The same for this connection alone: its names come before the file's, in the file's views, too."""
    for definition in definitions():
        con.execute(temporary(definition))


def definitions() -> tuple[str, ...]:
    """What is replaced whenever it is not ours: macros, then the views that use them."""
    return (*statements.macros(), *statements.views())


def views_digest() -> str:
    """Of them, and of what is said of columns."""
    return _digest(*definitions(), statements.table_comments(), statements.column_comments())


def schema_key() -> str:
    """Equal for equal schemas, as the installed DuckDB writes them."""
    parts = [str(_FORM), version("duckdb"), STORAGE_VERSION, statements.query("schema_ledger"), views_digest()]
    return _digest(*parts, *(migration.text for migration in statements.migrations()))


@lru_cache(maxsize=16)  # asked for several times at each opening of a file
def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Kept:
    database: Path
    sha256: str
    catalog: Catalog

    def content(self) -> bytes | None:
        """The database's, if it is as it was written."""
        with suppress(OSError):
            content = self.database.read_bytes()
            if sha256(content).hexdigest() == self.sha256:
                return content
            self.database.with_name(f"{schema_key()}.json").unlink()
        return None


def _kept() -> _Kept | None:
    folder = cache.folder("schema")
    if folder is None:
        return None
    try:
        about = json.loads((folder / f"{schema_key()}.json").read_text(encoding="utf-8"))
        digest = str(about["sha256"])
        return _Kept(folder / f"{digest}.duckdb", digest, Catalog(**_texts(about["catalog"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _texts(about: dict[str, Any]) -> dict[str, Any]:
    texts = {name: about[name] for name in ("tables", "views", "macros")}
    for of_kind in texts.values():
        if not of_kind or not all(isinstance(text, str) for text in of_kind.values()):
            raise ValueError("no catalog of ours")
    return texts


def _keep() -> _Kept | None:
    """Make the database and its catalog in the cache folder; None if that cannot be."""
    import duckdb

    folder = cache.folder("schema")
    if folder is None:
        return None
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        try:
            made = make(scratch / "empty.duckdb")
            digest = sha256((scratch / "empty.duckdb").read_bytes()).hexdigest()
            (scratch / "about.json").write_text(json.dumps({"sha256": digest, "catalog": asdict(made)}), "utf-8")
            (scratch / "empty.duckdb").replace(folder / f"{digest}.duckdb")
            (scratch / "about.json").replace(folder / f"{schema_key()}.json")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except (OSError, duckdb.IOException):
        return None
    cache.clear(folder)
    return _Kept(folder / f"{digest}.duckdb", digest, made)
