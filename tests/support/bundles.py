"""Bundles: what a database holds that they carry, and how a forger would change them."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl

from warehouse.exporters.bundle import TABLES, member
from warehouse.store import db

UNSHARED = {"attempts": ("host", "pid"), "merged_events": ("row_count", "row_digest")}
ROWS = Path(__file__).parents[1].joinpath("warehouse", "tables_of_bundle.sql").read_text(encoding="utf-8")


def rows(path: Path, *tables: str) -> dict[str, list[tuple]]:
    """What tables hold, but for what a bundle leaves out; of all, unless some are named."""
    found = {}
    with db.open_read(path) as con:
        for table in tables or TABLES:
            leave = {"merged_at", *UNSHARED.get(table, ())}
            cursor = con.execute(ROWS.replace("{table}", table))
            keep = [index for index, column in enumerate(cursor.description or ()) if column[0] not in leave]
            found[table] = [tuple(repr(row[index]) for index in keep) for row in cursor.fetchall()]
    return found


def rewrite(bundle: Path, change: Callable[[dict[str, bytes]], None], *, mended: bool = False, **options) -> None:
    """Change the members; `mended` writes their new sizes and hashes into the manifest, as a forger would."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if mended:
        manifest = json.loads(members["manifest.json"])
        for name, about in manifest["files"].items():
            about |= {"bytes": len(members[name]), "sha256": sha256(members[name]).hexdigest()}
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(bundle, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def of_manifest(change: Callable[[dict], object]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return changed


def of_table(table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        import io

        buffer = io.BytesIO()
        change(pl.read_parquet(members[member(table)])).write_parquet(buffer)
        members[member(table)] = buffer.getvalue()

    return changed


def of_query(table: str, query: str) -> Callable[[dict[str, bytes]], None]:
    """A table of other rows, with the types that it has: `query` reads them from `{table}`."""

    def changed(members: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name:
            before, after = Path(name) / "before.parquet", Path(name) / "after.parquet"
            before.write_bytes(members[member(table)])
            with duckdb.connect() as con:
                rows = query.replace("{table}", f"'{before}'")
                con.execute(f"copy ({rows}) to '{after}' (format parquet, compression zstd)")
                [(count,)] = con.execute(f"select count(*) from '{after}'").fetchall()
            members[member(table)] = after.read_bytes()
        of_manifest(lambda manifest: manifest["files"][member(table)].update(rows=count))(members)

    return changed


def with_value(table: str, column: str, value: str) -> Callable[[dict[str, bytes]], None]:
    return of_query(table, f"select * replace ({value} as {column}) from {{table}}")
