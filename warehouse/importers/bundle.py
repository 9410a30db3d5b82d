"""Taking a bundle in: verified as a whole before a row of it is stored, and all of it or nothing."""

from __future__ import annotations

import json
import re
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.errors import UserError
from warehouse.exporters.bundle import FORMAT, SINCE, TABLES, VERSION, member, shared_columns
from warehouse.importers import bundle_documents
from warehouse.importers.batch import ImportReport
from warehouse.records.level import Level
from warehouse.stats import pairing
from warehouse.store import accounts, identity, statements
from warehouse.store import db as database
from warehouse.store.kept_documents import COLUMNS as KEPT
from warehouse.store.old_runs import describe
from warehouse.store.scratch import scratch_folder
from warehouse.store.transaction import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAGIC = b"PK\x03\x04"
_MOST_MANIFEST = 64 << 20
_BLOCK = 1 << 20
# What is beyond these was made to fill a disk: a table has up to a fifth of a row for each byte of its file.
_ROWS_FREE, _ROWS_PER_BYTE = 200_000, 2
_BYTES_FREE, _BYTES_PER_BYTE = 64 << 20, 200
_RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_JSON = {"runs": "plan", "attempts": "provenance", "gpu_samples": "sample", "samples": "response"} | {
    "documents": "target"
}
_MOST_LEVELS = 10_000
_COUNT, _SIZE, _TIME = (0, 10**15), (1, 2**31 - 1), ("timestamp '1970-01-01'", "timestamp '9999-12-31'")
# From a column, of one table or of any, to what it may be: as in warehouse/records. NaN is beyond all numbers.
_RANGES: dict[tuple[str, str], tuple[object, object]] = {
    ("", "seq"): (-(2**53), 2**53),
    ("", "recorded_at"): _TIME, ("merged_events", "merged_at"): _TIME,
    ("merged_events", "journal_end"): _COUNT,
    ("attempts", "attempt"): _COUNT, ("attempts", "pid"): _COUNT,
    **{("models", name): _SIZE for name in (
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "vocab_size",
    )},
    ("variants", "intermediate_size"): _SIZE, ("variants", "padded_size"): _SIZE,
    ("variants", "pruning_pct"): (0, 100), ("variants", "expansion_ratio"): (0, 10**6),
    ("", "parameters"): _COUNT, ("", "bytes"): _COUNT,
    ("", "num_fewshot"): (-1, 10**6), ("", "seconds"): (0, 10**12),
    ("calibrations", "tokens"): _COUNT, ("calibrations", "length"): _SIZE,
    ("tasks", "n_docs"): _COUNT, ("tasks", "n_requests"): _COUNT,
    ("", "n"): _COUNT, ("metrics", "chance"): (-1, 1), ("metrics", "stderr"): (0, "'infinity'::double"),
    **{(table, "doc_id"): (0, 2**31 - 1) for table in ("samples", "documents", "answers")},
    ("samples", "weight"): (0, 10**15),
    **{("measurements", name): _COUNT for name in ("batch_size", "round", "prompt_tokens", "new_tokens")},
    ("measurements", "padded_size"): _SIZE,
    **{("measurements", name): ("'-infinity'::double", "'infinity'::double") for name in ("mean", "std", "min", "max")},
}  # fmt: skip
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

    @property
    def tables(self) -> list[str]:
        """Those of TABLES that there were when it was made."""
        return [table for table in TABLES if self.schema >= SINCE.get(table, 0)]

    @property
    def kept(self) -> list[str]:
        """Which of documents and answers it holds."""
        return [kind for kind in KEPT if member(kind) in self.files]


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
    if not db.exists():
        database.refuse_to_create(db)
    with scratch_folder(db) as folder:
        manifest = _unpack(path, folder)
        if db.exists():
            report = _import_into(db, manifest, folder, path.name, wait)
            bundle_documents.keep(db, manifest.kept, report.imported, manifest.run_ids, folder)
            return report
        # A bundle that is refused leaves no database behind.
        new = folder / "new.duckdb"
        report = _import_into(new, manifest, folder, path.name, wait)
        try:
            database.publish(new, db)
        except FileExistsError:  # another process made it meanwhile
            report = _import_into(db, manifest, folder, path.name, wait)
        bundle_documents.keep(db, manifest.kept, report.imported, manifest.run_ids, folder)
        return report


def _import_into(db: Path, manifest: Manifest, folder: Path, bundle: str, wait: float) -> ImportReport:
    import duckdb

    with database.open_write(db, wait=wait, reach=[folder]) as con:
        con.execute(statements.query("bundle_memory"))
        con.execute(statements.query("bundle_macros"))
        try:
            report = _store(con, manifest, folder, bundle)
        except (duckdb.FatalException, duckdb.InternalException):
            raise
        except duckdb.Error as error:
            if isinstance(error, duckdb.IOException) and str(folder) not in str(error):  # the disk
                raise
            raise _refused(bundle, f"its tables cannot be read: {_without(folder, error)}") from error
        pairing.refresh(con)
        con.checkpoint()  # everything into the one file
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
                table = next((table for table in (*TABLES, *KEPT) if member(table) == name), None)
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
        allowed = {"README.txt", "load.sql", *map(member, (*TABLES, *(KEPT if told["version"] > 1 else ())))}
        for file, about in files.items():
            if file not in allowed:
                raise _refused(name, f"it holds {file!r}, which no bundle does")
            whole = type(about["bytes"]) is int and _SHA256.fullmatch(about["sha256"])
            if not whole or (file in map(member, (*TABLES, *KEPT)) and type(about["rows"]) is not int):
                raise _refused(name, f"its manifest says nothing of use about {file}")
        for run_id in run_ids:
            if not _RUN_ID.fullmatch(run_id):
                raise _refused(name, f"{run_id!r} is no run's id")
        manifest = Manifest(sha256(content).hexdigest(), told["schema"], run_ids, files)
        if missing := [table for table in manifest.tables if member(table) not in files]:
            raise _refused(name, f"it has no table {missing[0]}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(name, "its manifest cannot be read") from error
    return manifest


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
    paths = {table: {"path": str(folder / f"{table}.parquet")} for table in manifest.tables}
    for table in paths:
        ours = con.execute(statements.query("bundle_columns"), {"table": table}).fetchall()
        _check_table(con, table, ours, paths[table], manifest, bundle)
    for kind in manifest.kept:
        _check_kept(con, kind, {"path": str(folder / f"{kind}.parquet")}, manifest, bundle)
    con.execute(statements.query("bundle_events"), paths["merged_events"])
    try:
        _check_events(con, manifest, paths, bundle)
        counts = con.execute(statements.query("bundle_counts")).fetchall()
        with transaction(con):
            for table in paths:
                if table == "merged_events":
                    con.execute(statements.query("bundle_insert_events"))
                else:
                    con.execute(statements.query("bundle_insert").replace("{table}", table), paths[table])
            note = {"file": bundle, "fingerprint": manifest.fingerprint}
            con.execute(statements.query("bundle_insert_note"), note)
            describe(con)
            accounts.note(con)
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


def _check_kept(con: DuckDBPyConnection, kind: str, path: dict[str, str], manifest: Manifest, bundle: str) -> None:
    """Documents and answers, which no table of the database takes."""
    _check_table(con, kind, list(KEPT[kind].items()), path, manifest, bundle)
    named = path | {"run_ids": list(manifest.run_ids)}
    if con.execute(statements.query("bundle_kept_strays"), named).fetchall() != [(0,)]:
        raise _refused(bundle, f"its {kind} are not those of the runs that it names")
    if column := _JSON.get(kind):
        statement = statements.query("bundle_bad_json").replace("{column}", column)
        if con.execute(statement, path).fetchall() != [(0,)]:
            raise _refused(bundle, f"its table {kind} has a {column} that is no JSON")


def _check_table(
    con: DuckDBPyConnection,
    table: str,
    ours: list[tuple[str, str]],
    path: dict[str, str],
    manifest: Manifest,
    bundle: str,
) -> None:
    about = manifest.files[member(table)]
    if about["rows"] > _ROWS_FREE + _ROWS_PER_BYTE * about["bytes"]:
        raise _refused(bundle, f"{about['rows']:,} rows of {table} are too many for {about['bytes']:,} bytes")
    most = _BYTES_FREE + _BYTES_PER_BYTE * about["bytes"]
    if con.execute(statements.query("bundle_unfolded"), path).fetchall()[0][0] > most:
        raise _refused(bundle, f"its table {table} unfolds to more than {most:,} bytes")
    theirs = con.execute(statements.query("bundle_file_columns"), path).fetchall()
    # An older one lacks the columns that came later.
    older = manifest.schema < len(statements.migrations()) and table in TABLES
    if ours != theirs and not (older and set(theirs) < set(ours)):
        raise _refused(bundle, f"its table {table} has other columns than this prune-tui's")
    if con.execute(statements.query("bundle_file_rows"), path).fetchall() != [(about["rows"],)]:
        raise _refused(bundle, f"its table {table} does not have the {about['rows']:,} rows that it should")
    _check_texts(con, table, path, dict(theirs), most, bundle)
    _check_values(con, table, path, dict(theirs), bundle)


def _check_texts(
    con: DuckDBPyConnection, table: str, path: dict[str, str], types: dict[str, str], most: int, bundle: str
) -> None:
    """Both by what is really there: what a file says of itself need not be so."""
    sizes = {
        "VARCHAR": "strlen({})", "JSON": "strlen({}::varchar)", "BLOB": "octet_length({})", "DOUBLE[]": "8 * len({})",
        "BOOLEAN[]": "len({})", "VARCHAR[]": "16 * len({0}) + list_sum(list_transform({0}, lambda text: strlen(text)))",
    }  # fmt: skip
    parts = [f"""coalesce({sizes[kind].format(f'"{name}"')}, 0)""" for name, kind in types.items() if kind in sizes]
    statement = statements.query("bundle_text_bytes").replace("{bytes}", " + ".join(parts))
    if con.execute(statement, path).fetchall()[0][0] > most:
        raise _refused(bundle, f"its table {table} unfolds to more than {most:,} bytes")


def _check_values(
    con: DuckDBPyConnection, table: str, path: dict[str, str], types: dict[str, str], bundle: str
) -> None:
    """As the events that they came from were checked when they were written."""
    ranges = {name: range_ for name in types if (range_ := _RANGES.get((table, name), _RANGES.get(("", name))))}
    checks = [f'count(*) filter (where not "{name}" between {low} and {high})' for name, (low, high) in ranges.items()]
    statement = statements.query("bundle_out_of_range").replace("{checks}", ", ".join(checks))
    for name, wrong in zip(ranges, con.execute(statement, path).fetchall()[0], strict=True):
        if wrong:
            raise _refused(bundle, f"its table {table} has a {name} that cannot be")
    if "level" in types:
        levels = con.execute(statements.query("bundle_levels").replace("{most}", str(_MOST_LEVELS)), path).fetchall()
        for (level,) in levels:
            try:
                Level.parse(level)
            except UserError as error:
                raise _refused(bundle, f"its table {table} has a level that is none: {level[:40]!r}") from error
        if len(levels) == _MOST_LEVELS:
            raise _refused(bundle, f"its table {table} has too many levels")


def _check_events(con: DuckDBPyConnection, manifest: Manifest, paths: dict[str, dict[str, str]], bundle: str) -> None:
    named = {"run_ids": list(manifest.run_ids)}
    doubled, unnamed = con.execute(statements.query("bundle_event_faults"), named).fetchall()[0]
    if doubled or unnamed:
        raise _refused(bundle, "its events are not those of the runs that it names")
    for table in paths:
        if con.execute(statements.query("bundle_strays"), paths[table]).fetchall() != [(0,)]:
            raise _refused(bundle, f"its table {table} has rows that belong to none of its runs' events")
        if column := _JSON.get(table):
            statement = statements.query("bundle_bad_json").replace("{column}", column)
            if con.execute(statement, paths[table]).fetchall() != [(0,)]:
                raise _refused(bundle, f"its table {table} has a {column} that is no JSON")
    for table in filter(paths.__contains__, _COMPARED):
        names = [name for name, _ in con.execute(statements.query("bundle_file_columns"), paths[table]).fetchall()]
        columns = shared_columns(table, names)
        statement = statements.query("bundle_conflicts").replace("{table}", table).replace("{columns}", columns)
        if conflicts := con.execute(statement, paths[table]).fetchall():
            raise UserError(
                f"{bundle} is not imported: the run {conflicts[0][0]} is here already, and its {table} are not those "
                "of the bundle. One of the two was altered: import the bundle into a database of its own to compare "
                "(--db)."
            )


def _without(folder: Path, error: Exception) -> str:
    """What DuckDB says, without the way to files that are gone by then."""
    return str(error).splitlines()[0].replace(f"{folder}/", "")


def _refused(bundle: str, why: str) -> UserError:
    return UserError(f"{bundle} is not imported: {why}. Get it again from whoever made it.")
