"""Taking a bundle in: verified as a whole before a row of it is stored, and all of it or nothing."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse import db as database
from warehouse import identity, pairing, statements
from warehouse.bundle import FORMAT, TABLES, VERSION, member
from warehouse.errors import UserError
from warehouse.imports.batch import ImportReport
from warehouse.old_runs import describe
from warehouse.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAGIC = b"PK\x03\x04"
_MOST_MANIFEST = 64 << 20
_BLOCK = 1 << 20
# A Parquet file that promises more rows than this for each of its bytes was made to fill a disk.
_MOST_ROWS_PER_BYTE = 64
_RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_JSON = {"runs": "plan", "attempts": "provenance", "gpu_samples": "sample", "samples": "response"}
# Compared row by row with what is there already; a run's documents follow from its cells.
_COMPARED = tuple(table for table in TABLES if table not in ("merged_events", "samples", "gpu_samples"))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself. `fingerprint` is its hash, `schema` the last migration that its tables have been
    through; `files` has bytes, hash and rows (tables only).
    """

    fingerprint: str
    schema: int
    run_ids: tuple[str, ...]
    files: dict[str, dict[str, Any]]


def is_bundle(path: Path) -> bool:
    """Whether the file is a zip, by its first bytes: nothing else that can be imported is one."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False


def import_bundle(db: Path, path: Path, *, wait: float = 2.0) -> ImportReport:
    """Bring a bundle's rows into the database under their own run ids; those that are there already stay as they are.

    Raises:
        UserError: the bundle is cut off, altered, from a newer prune-tui or no bundle at all, or holds other figures
            of a run that is here; nothing is imported then. Or as `db.open_write`.
        DatabaseBusyError: another process holds the database.
    """
    import duckdb

    parent = db.absolute().parent.resolve()
    # Beside the database, whose disk has to take the rows anyway.
    with tempfile.TemporaryDirectory(prefix=".bundle.", dir=parent if parent.is_dir() else None) as scratch:
        manifest = _unpack(path, Path(scratch))
        with database.open_write(db, wait=wait, reach=[Path(scratch)]) as con:
            con.execute(statements.query("bundle_memory"))
            try:
                report = _store(con, manifest, Path(scratch), path.name)
            except (
                duckdb.InvalidInputException, duckdb.ConstraintException, duckdb.ConversionException,
                duckdb.BinderException, duckdb.SerializationException, duckdb.OutOfRangeException,
            ) as error:  # fmt: skip
                raise _refused(path.name, f"its tables cannot be read: {str(error).splitlines()[0]}") from error
            pairing.refresh(con)
            return report


def _unpack(path: Path, folder: Path) -> Manifest:
    """Write the tables out to `folder` under names of ours, if everything is as the manifest says."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if len(members) != len(archive.infolist()):
                raise _refused(path.name, "it holds two files of one name")
            if "manifest.json" not in members:
                raise _refused(path.name, "it is a zip without a manifest.json")
            if members["manifest.json"].file_size > _MOST_MANIFEST:
                raise _refused(path.name, "its manifest is too large")
            _check_stored(path.name, members)
            manifest = _read_manifest(path.name, archive.read("manifest.json"))
            if surplus := set(members) - set(manifest.files) - {"manifest.json"}:
                raise _refused(path.name, f"it holds {sorted(surplus)[0]!r}, which its manifest does not name")
            for name, about in manifest.files.items():
                if name not in members:
                    raise _refused(path.name, f"{name} is missing from it")
                table = next((table for table in TABLES if member(table) == name), None)
                target = None if table is None else folder / f"{table}.parquet"
                _copy(archive, members[name], about, target, path.name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise _refused(path.name, f"it is damaged or was cut off ({error})") from error
    return manifest


def _check_stored(name: str, members: dict[str, zipfile.ZipInfo]) -> None:
    for info in members.values():
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise _refused(name, f"{info.filename!r} is compressed, which no bundle's files are")


def _read_manifest(name: str, content: bytes) -> Manifest:
    try:
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise _refused(name, "its manifest is not a bundle's")
        if told["version"] > VERSION or told["schema"] > len(statements.migrations()):
            raise UserError(
                f"{name} was written by a newer prune-tui ({told['prune_tui']}): upgrade prune-tui to import it."
            )
        run_ids = tuple(run["run_id"] for run in told["runs"])
        files = told["files"]
        allowed = {"README.txt", "load.sql", *map(member, TABLES)}
        for file, about in files.items():
            if file not in allowed:
                raise _refused(name, f"it holds {file!r}, which no bundle does")
            whole = type(about["bytes"]) is int and _SHA256.fullmatch(about["sha256"])
            if not whole or (file in map(member, TABLES) and type(about["rows"]) is not int):
                raise _refused(name, f"its manifest says nothing of use about {file}")
        for run_id in run_ids:
            if not _RUN_ID.fullmatch(run_id):
                raise _refused(name, f"{run_id!r} is no run's id")
        if missing := [table for table in TABLES if member(table) not in files]:
            raise _refused(name, f"it has no table {missing[0]}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(name, "its manifest cannot be read") from error
    return Manifest(sha256(content).hexdigest(), told["schema"], run_ids, files)


def _copy(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, about: dict[str, Any], target: Path | None, bundle: str
) -> None:
    altered = _refused(bundle, f"{info.filename} is not what was put into it: it was altered or damaged on its way")
    if info.file_size != about["bytes"]:
        raise altered
    digest = sha256()
    with archive.open(info) as source, (Path("/dev/null") if target is None else target).open("wb") as out:
        while block := source.read(_BLOCK):
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != about["sha256"]:
        raise altered


def _store(con: DuckDBPyConnection, manifest: Manifest, folder: Path, bundle: str) -> ImportReport:
    paths = {table: {"path": str(folder / f"{table}.parquet")} for table in TABLES}
    for table in TABLES:
        _check_table(con, table, paths[table], manifest, bundle)
    con.execute(statements.query("bundle_events"), paths["merged_events"])
    try:
        _check_events(con, manifest, paths, bundle)
        counts = con.execute(statements.query("bundle_counts")).fetchall()
        with transaction(con):
            for table in TABLES:
                if table == "merged_events":
                    con.execute(statements.query("bundle_insert_events"))
                else:
                    con.execute(statements.query("bundle_insert").replace("{table}", table), paths[table])
            note = {"file": bundle, "fingerprint": manifest.fingerprint}
            con.execute(statements.query("bundle_insert_note"), note)
            describe(con)
            identity.resolve(con, identity.models_of(con))
            for run_id, new in counts:
                if new:
                    pairing.note_cells(con, run_id)
    finally:
        con.execute(statements.query("bundle_drop"))
    return ImportReport(
        imported=tuple(run_id for run_id, new in counts if new),
        known=tuple(run_id for run_id, new in counts if not new),
    )


def _check_table(con: DuckDBPyConnection, table: str, path: dict[str, str], manifest: Manifest, bundle: str) -> None:
    about = manifest.files[member(table)]
    if about["rows"] > _MOST_ROWS_PER_BYTE * about["bytes"]:
        raise _refused(bundle, f"{about['rows']:,} rows of {table} cannot be in {about['bytes']:,} bytes")
    ours = con.execute(statements.query("bundle_columns"), {"table": table}).fetchall()
    theirs = con.execute(statements.query("bundle_file_columns"), path).fetchall()
    # An older one lacks the columns that came later.
    older = manifest.schema < len(statements.migrations())
    if ours != theirs and not (older and set(theirs) < set(ours)):
        raise _refused(bundle, f"its table {table} has other columns than this prune-tui's")
    if con.execute(statements.query("bundle_file_rows"), path).fetchall() != [(about["rows"],)]:
        raise _refused(bundle, f"its table {table} does not have the {about['rows']:,} rows that it should")


def _check_events(con: DuckDBPyConnection, manifest: Manifest, paths: dict[str, dict[str, str]], bundle: str) -> None:
    named = {"run_ids": list(manifest.run_ids)}
    doubled, unnamed = con.execute(statements.query("bundle_event_faults"), named).fetchall()[0]
    if doubled or unnamed:
        raise _refused(bundle, "its events are not those of the runs that it names")
    for table in TABLES:
        if con.execute(statements.query("bundle_strays"), paths[table]).fetchall() != [(0,)]:
            raise _refused(bundle, f"its table {table} has rows that belong to none of its runs' events")
        if column := _JSON.get(table):
            statement = statements.query("bundle_bad_json").replace("{column}", column)
            if con.execute(statement, paths[table]).fetchall() != [(0,)]:
                raise _refused(bundle, f"its table {table} has a {column} that is no JSON")
    for table in _COMPARED:
        columns = ", ".join(
            name for name, _ in con.execute(statements.query("bundle_file_columns"), paths[table]).fetchall()
        )
        statement = statements.query("bundle_conflicts").replace("{table}", table).replace("{columns}", columns)
        if conflicts := con.execute(statement, paths[table]).fetchall():
            raise UserError(
                f"{bundle} is not imported: the run {conflicts[0][0]} is here already, and its {table} are not those "
                "of the bundle. One of the two was altered: import the bundle into a database of its own to compare "
                "(--db)."
            )


def _refused(bundle: str, why: str) -> UserError:
    return UserError(f"{bundle} is not imported: {why}. Get it again from whoever made it.")
