"""Databases and bundles from somebody who means harm: `python benchmarks/attack_files.py` prints how many were held.

A database is held where every table that a command makes of it is what it would be without the attack, or where it is
refused in a sentence; a bundle, where it is refused and leaves nothing behind, not even an empty database. In no case
may the secret that lies beside the file get into an answer, or an error be anything but a sentence.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import duckdb

from warehouse.console.console import run_sql
from warehouse.errors import UserError
from warehouse.exporters.bundle import member, write_bundle
from warehouse.exporters.export import export_deltas
from warehouse.importers import import_published
from warehouse.importers.bundle import import_bundle
from warehouse.read.claims import read_claims
from warehouse.read.rules import read_rules
from warehouse.read.runs import list_runs
from warehouse.store import catalog, db, statements, template

CANARY = "canary-77aa"
LONGEST = 60.0  # seconds, on a busy machine
MODEL = "Llama-3.2-1B"


@dataclass(frozen=True, slots=True)
class Attack:
    name: str
    do: Callable[[Path], None]


def altered(name: str, *texts: str) -> Attack:
    """`{secret}` in a statement is the file that nobody may read."""

    def do(database: Path) -> None:
        with duckdb.connect(database) as con:
            for text in texts:
                con.execute(text.replace("{secret}", str(database.parent / "secret.txt")))

    return Attack(name, do)


def replaced(turn: int) -> Attack:
    """Each of some views with all its columns, the first text among which comes from somewhere else, by another of the
    ways for each: after as many turns as there are ways each view had each.
    """

    def do(database: Path) -> None:
        secret = database.parent / "secret.txt"
        with duckdb.connect(database) as con:
            for place, view in enumerate(_REPLACED):
                [(text,)] = con.execute(f"select sql from duckdb_views() where view_name = '{view}'").fetchall()
                [(column,)] = con.execute(_FIRST_TEXT, [view]).fetchall()
                how = _TAKEN[(place + turn) % len(_TAKEN)].replace("{secret}", str(secret))
                true_one = text.partition(" AS ")[2].rstrip(";")
                con.execute(
                    f"create or replace view {view} as select * replace (({how}) as {column}) from ({true_one})"
                )

    return Attack(f"views that take a column from elsewhere, in turn {turn}", do)


_FIRST_TEXT = (
    "select arg_min(column_name, column_index) from duckdb_columns() where table_name = ? and data_type = 'VARCHAR'"
)
_REPLACED = ("run_models", "current_metrics", "run_overview", "baseline_deltas", "pareto_front", "best_level")
_TAKEN = (
    "select content from read_text('{secret}')", "select any_value(column0) from read_csv('{secret}', header = false)",
    "select any_value(file) from glob('/*')", "select content::varchar from read_blob('{secret}')",
    "select error('executed')", "select sum(a.range * b.range)::varchar from range(1000000) a, range(1000000) b",
)  # fmt: skip
_SHADOWS = (
    "round(x)", "sum(x)", "count(x)", "lower(x)", '"+"(a, b)', '"||"(a, b)', "list_contains(a, b)",
    "regexp_matches(a, b)", "arg_max(a, b)", "starts_with(a, b)", "epoch(x)", "ROUND(a, b)",
)  # fmt: skip


def on_databases() -> Iterator[Attack]:
    for turn in range(len(_TAKEN)):
        yield replaced(turn)
    yield altered(
        "claims of its own",
        "create view claims as from read_text('{secret}')",
        "create view claim_changes as from read_text('{secret}')",
        "create macro claims_of(models) as table from read_text('{secret}')",
        "create macro second_told(second_pct, clear) as (select content from read_text('{secret}'))",
    )
    yield altered("macro of ours: is_share", "create or replace macro is_share(metric) as false")
    yield altered("macro of ours: normal_p", "create or replace macro normal_p(z) as 0.0")
    yield altered(
        "table macro of ours reads a file",
        "drop view size_tests",
        "create or replace macro size_tests_of(models) as table select content from read_text('{secret}')",
    )
    for name in _SHADOWS:
        yield altered(f"in place of DuckDB's: {name}", f"create macro {name} as 42")
    yield altered("in place of duckdb_views", "create macro duckdb_views() as table select 1 as x")
    yield altered("in place of read_parquet", "create macro read_parquet(x) as table select 1 as x")
    yield altered("a type in place of JSON", "create type json as enum ('a')")
    for table in ("metrics", "runs", "samples", "schema_migrations", "schema_views", "rules"):
        yield altered(
            f"table {table} is a view that reads a file",
            f"alter table {table} rename to moved",
            f"create view {table} as select moved.* from moved, read_text('{{secret}}')",
        )
    yield altered("a default that says who reads", "alter table metrics alter column filter set default current_user")
    yield altered("one column more", "alter table runs add column more varchar")
    yield altered("one column less", "alter table metrics drop column stderr")
    yield altered("a table dropped", "drop table rules")
    yield altered("the ledger dropped", "drop table merged_events")
    yield altered("all migrations forgotten", "delete from schema_migrations")
    yield altered("a migration of the future", "insert into schema_migrations values (999, 'x', 'x', now())")
    yield altered("a migration's hash", "update schema_migrations set sha256 = 'x' where version = 1")
    yield altered("the views' hash", "update schema_views set sha256 = 'x'", "drop view size_tests")
    yield altered("a view of the user's that reads a file", "create view mine as from read_text('{secret}')")
    yield altered("a view in another schema", "create schema s", "create view s.metrics as select error('executed')")
    yield altered("a table in place of a view", "drop view best_level", "create table best_level (x int)")
    yield altered("a comment that steers a terminal", "comment on table metrics is '\x1b[2J'")
    yield Attack("a database of SQLite's", _sqlites)
    yield Attack("no database", _text)
    yield Attack("an empty file", lambda database: os.truncate(database, 0))
    for share in (0.1, 0.5, 0.9):
        yield Attack(f"cut off at {share:.0%}", lambda database, share=share: _cut(database, share))
    for seed in range(4):
        yield Attack(f"bytes flipped in its header, {seed}", lambda database, seed=seed: _flip(database, seed))


def _sqlites(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as con, con:
        con.execute("create table t (a)")


def _text(database: Path) -> None:
    database.write_bytes(b"x" * 10_000)


def _cut(database: Path, share: float) -> None:
    os.truncate(database, int(share * database.stat().st_size))


def _flip(database: Path, seed: int) -> None:
    content = bytearray(database.read_bytes())
    for place in range(8 + seed, 12_288, 97 + seed):
        content[place] ^= 0x55
    database.write_bytes(bytes(content))


_ASKED = (
    "select count(*) from {view}", "select model, task, metric, value, delta from baseline_deltas order by all",
    "from run_overview order by all",
)  # fmt: skip
_COUNTED = ("current_metrics", "size_tests", "best_level", "delta_statistics")


_DEFINITIONS = (
    "select 'table', schema_name, table_name, comment, sql from duckdb_tables()",
    "select 'view', schema_name, view_name, comment, sql from duckdb_views() where not internal",
    "select 'macro', schema_name, function_name, parameters, macro_definition from duckdb_functions()"
    " where not internal",
    "select 'type', schema_name, type_name, labels from duckdb_types() where not internal",
    "select 'index', schema_name, sql from duckdb_indexes()",
    "select 'sequence', schema_name, sql from duckdb_sequences()",
    "select 'column', schema_name, table_name, column_name, comment from duckdb_columns() where comment is not null",
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A database that nobody attacked, what it holds, and what is made of it."""

    path: Path
    held: list[object]
    used: list[object]

    @property
    def asked(self) -> list[object]:
        return self.used[1:4]


def asked(database: Path) -> list[object]:
    """What screens ask of a database, by one connection."""
    with db.open_read(database) as con:
        counts = [con.execute(_ASKED[0].replace("{view}", view)).fetchall() for view in _COUNTED]
        rows = [con.execute(text).fetchall() for text in _ASKED[1:]]
        names = con.execute(statements.query("console_names")).fetchall()
    return [counts, rows, [name for name in names if name[0] in template.ours().views]]


def used(database: Path) -> list[object]:
    """The same, and what commands make of it."""
    table = export_deltas(database, model=MODEL, format="csv")
    return [table, *asked(database), list_runs(database), read_rules(database), read_claims(database)]


def used_if_another(database: Path, whole: Whole) -> list[object]:
    """`used`; of a file that holds what the whole one does once a command has put it right, that command's alone."""
    table = export_deltas(database, model=MODEL, format="csv")
    return [table] if held(database) == whole.held else used(database)


def held(database: Path) -> list[object]:
    """All that answers can come from: every definition, and a hash of the rows of each table but that which notes when
    definitions were put back.
    """
    with duckdb.connect(database, read_only=True) as con:
        named = [row for text in _DEFINITIONS for row in con.execute(text).fetchall()]
        found: list[object] = [*sorted((*map(str, row[:-1]), catalog.settled(str(row[-1]))) for row in named)]
        for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            if table != "schema_views":
                rows = con.execute(f'select count(*), sum(hash(t)) from "{schema}"."{table}" t').fetchall()
                found.append((schema, table, rows))
    return found


def on_database(attack: Attack, whole: Whole, folder: Path) -> str | None:
    """What was not held, or None; once as a file that can be written, once as one that cannot."""
    attacked = folder / "attacked.duckdb"
    shutil.copyfile(whole.path, attacked)
    attack.do(attacked)
    for writable in (True, False):
        database = folder / f"{'own' if writable else 'received'}.duckdb"
        shutil.copyfile(attacked, database)
        before = {path.name for path in folder.iterdir()} - {f"{database.name}.wal"}
        real, db._writable = db._writable, lambda path, writable=writable: writable
        begun = time.monotonic()
        try:
            found = used_if_another(database, whole) if writable else asked(database)
            if found != (whole.used[: len(found)] if writable else whole.asked):
                return "it gave other figures"
        except UserError as error:
            if CANARY in str(error) or "\n" in str(error):
                return f"it said {error}"
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            db._writable = real
        if time.monotonic() - begun > LONGEST:
            return f"it took {time.monotonic() - begun:.0f} s"
        if {path.name for path in folder.iterdir()} - {f"{database.name}.wal"} != before:
            return "it left files"
        if "user's" in attack.name:
            try:
                run_sql(database, "from mine")
                return "the console read a file"
            except UserError as error:
                if CANARY in str(error):
                    return f"the console said {error}"
        database.unlink()
        database.with_name(f"{database.name}.wal").unlink(missing_ok=True)
    return None


def forged(table: str, query: str) -> Callable[[dict[str, bytes]], None]:
    """Rows of `query`, which reads from `{table}`, with the number and the hash that belong to them."""

    def change(members: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name, duckdb.connect() as con:
            before, after = Path(name, "before.parquet"), Path(name, "after.parquet")
            before.write_bytes(members[member(table)])
            rows = query.replace("{table}", f"'{before}'")
            con.execute(f"copy ({rows}) to '{after}' (format parquet, compression zstd)")
            [(count,)] = con.execute(f"select count(*) from '{after}'").fetchall()
            members[member(table)] = after.read_bytes()
        manifest = json.loads(members["manifest.json"])
        manifest["files"][member(table)]["rows"] = count
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


def with_value(table: str, column: str, value: str) -> tuple[str, Callable[[dict[str, bytes]], None]]:
    return f"{table}.{column} = {value}", forged(table, f"select * replace ({value} as {column}) from {{table}}")


def _without_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def on_bundles() -> Iterator[tuple[str, Callable[[dict[str, bytes]], None]]]:
    many = "select t.* from (from {table} limit 1) t, range(2_000_000)"
    for table in ("metrics", "merged_events", "measurements"):
        yield f"2 million rows of {table}", forged(table, many)
    long = "select t.* replace (repeat('x', 1_000_000) as {column}) from (from {table} limit 1) t, range(2000)"
    yield "2 GB in a column of a few bytes", forged("runs", long.replace("{column}", "name"))
    yield with_value("variants", "intermediate_size", "(-5)::integer")
    yield with_value("variants", "pruning_pct", "'nan'::double")
    yield with_value("variants", "pruning_pct", "101.0::double")
    yield with_value("variants", "expansion_ratio", "'inf'::double")
    yield with_value("models", "parameters", "(-1)::bigint")
    yield with_value("models", "hidden_size", "0::integer")
    yield with_value("metrics", "n", "(2::hugeint ** 62)::bigint")
    yield with_value("metrics", "stderr", "-1.0::double")
    yield with_value("metrics", "level", "'; drop table runs'")
    yield with_value("cells", "num_fewshot", "(-2)::integer")
    yield with_value("runs", "recorded_at", "timestamp '290000-01-01'")
    yield with_value("metrics", "recorded_at", "'infinity'::timestamp")
    yield with_value("metrics", "run_id", "'stray'")
    yield with_value("merged_events", "seq", "0::bigint")
    yield with_value("runs", "plan", "'{'::varchar")
    yield "a member with another path", lambda members: members.update({"../../evil": b"x"})
    yield "a member that is no Parquet", lambda members: members.update({member("metrics"): b"PAR1" * 100})
    yield "a member cut off", lambda members: members.update({member("runs"): members[member("runs")][:-50]})
    yield "no manifest", _without_manifest
    yield "a manifest nested deep", lambda members: members.update({"manifest.json": b"[" * 200_000})


def on_bundle(change: Callable[[dict[str, bytes]], None], whole: Path, folder: Path) -> str | None:
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if b'"files"' in members.get("manifest.json", b""):
        manifest = json.loads(members["manifest.json"])
        for name, about in manifest["files"].items():
            about |= {"bytes": len(members[name]), "sha256": sha256(members[name]).hexdigest()}
        members["manifest.json"] = json.dumps(manifest).encode()
    bundle = folder / "forged.bundle"
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    received = folder / "elsewhere" / "received.duckdb"
    received.parent.mkdir(exist_ok=True)
    begun = time.monotonic()
    try:
        import_bundle(received, bundle)
        return "it was taken in"
    except UserError as error:
        if "\n" in str(error):
            return f"it said {error}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        left = [path.name for path in received.parent.iterdir()]
        shutil.rmtree(received.parent)
    if left:
        return f"it left {left}"
    return None if time.monotonic() - begun < LONGEST else "it took too long"


def attacks(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Each attack, with what was not held."""
    whole, bundle = folder / "whole.duckdb", folder / "whole.bundle"
    import_published(whole)
    write_bundle(whole, bundle)
    untouched = Whole(whole, held(whole), used(whole))
    work = folder / "work"
    work.mkdir()
    (work / "secret.txt").write_text(CANARY)
    for attack in on_databases():
        yield f"database: {attack.name}", on_database(attack, untouched, work)
        for path in work.glob("*.duckdb*"):
            path.unlink()
    for name, change in on_bundles():
        yield f"bundle: {name}", on_bundle(change, bundle, work)


def main() -> None:
    tried, held = 0, 0
    with tempfile.TemporaryDirectory() as name:
        for attack, problem in attacks(Path(name)):
            tried += 1
            held += problem is None
            print(
                f"{'held' if problem is None else 'NOT HELD'}  {attack}{f': {problem}' if problem else ''}", flush=True
            )
    print(f"\n{tried} tried, {held} held.")
    raise SystemExit(held != tried)


if __name__ == "__main__":
    main()
