"""Rows that are changed by hand in a database, and journals that are damaged or cut back after they were merged.

    python benchmarks/attack_rows.py

Prints what was tried and held. A change of rows is held where `merge` names the run and what is wrong with it, and
where, made anew from the journals, the database is what it was. A change of a journal is held where `merge` names the
line, the database keeps all that it had, and the other run is merged on. It takes half a minute.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from fault_injection import writers

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.digests import Digests
from engine.runs.rundir import RunDir, runs_root
from warehouse.merging import merge
from warehouse.merging.remake import remake
from warehouse.records.events import Log, Measured, Stage
from warehouse.records.facts import FailureFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.records.level import parse_levels
from warehouse.records.measurements import MeasurementFacts
from warehouse.store import accounts, db
from warehouse.store.journal import Journal

TABLES = (
    "runs", "attempts", "models", "variants", "tasks", "stages", "cells", "metrics", "failures", "measurements",
    "events",
)  # fmt: skip
# What another value of a column is, by its type; a number with a point by its last bit.
_OTHER = {
    "DOUBLE": "({column}::bit::bigint + 1)::bit::double", "VARCHAR": "{column} || ' '", "JSON": "'{\"other\": 1}'",
    "BOOLEAN": "not {column}", "TIMESTAMP": "{column} + interval 1 microsecond",
}  # fmt: skip
_ANY = {"DOUBLE": "0.0", "VARCHAR": "''", "JSON": "'{}'", "BOOLEAN": "false", "TIMESTAMP": "now()::timestamp"}
PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("t0"),))


@dataclass(frozen=True, slots=True)
class Merged:
    """A database with two runs in it."""

    database: Path
    run: RunDir
    other: RunDir

    @classmethod
    def make(cls, folder: Path) -> Merged:
        database = folder / "results.duckdb"
        run, other = (RunDir.create(runs_root(database), PLAN, database) for _ in range(2))
        for one in (run, other):
            journal = writers.begin(one.path)
            say_of_every_kind(journal)
            journal.close()
        merge.merge_all(database, runs_root(database))
        return cls(database, run, other)

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        with db.open_read(self.database) as con:
            return {table: con.execute(f"from {table} order by all").fetchall() for table in TABLES}


def say_of_every_kind(journal: Journal) -> None:
    journal.append(ModelFacts(
        model="m", source="m", revision=None, weights_hash="w", model_type="llama", num_key_value_heads=1,
        vocab_size=16, tied_embeddings=True, parameters=1000, bytes=4000, hidden_size=8, intermediate_size=100,
        num_hidden_layers=1, num_attention_heads=1,
    ))  # fmt: skip
    journal.append(VariantFacts(
        level="0", method="maw", pruning_pct=0.0, intermediate_size=100, padded_size=128, expansion_ratio=12.5,
        parameters=1000, bytes=4000,
    ))  # fmt: skip
    journal.append(TaskFacts(
        task="t0", part_of=None, version="1", output_type="multiple_choice", num_fewshot=0, n_docs=10, n_requests=20,
        dataset="d", dataset_fingerprint=None, requests_hash="r",
    ))  # fmt: skip
    journal.append(Stage(stage="load model", level=None, seconds=1.5))
    for number in range(4):
        writers.cell(journal, f"t{number}", value=0.1 + number / 17)
    journal.append(FailureFacts(level="0", task="t9", error="E: x", detail="…"))
    measured = MeasurementFacts(
        workload="w", batch_size=1, quantity="q", unit="J", mean=1.5, std=0.5, min=1.0, max=2.0, n=3
    )
    journal.append(Measured(level="0", measurements=[measured]))
    journal.append(Log(level_name="info", message="said"))


def on_rows(con: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[tuple[str, str]]:
    """What is done, and the statement that does it to one row of the run."""
    for table in TABLES:
        one = f"rowid = (select max(rowid) from {table} where run_id = '{run_id}')"
        columns = con.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ? order by column_index", [table]
        ).fetchall()
        for name, kind in columns:
            if name in ("run_id", "seq"):
                continue
            other = f"coalesce({_OTHER.get(kind, '{column} + 1')}, {_ANY.get(kind, '0')})".replace(
                "{column}", f'"{name}"'
            )
            yield f"{table}.{name} changed", f'update {table} set "{name}" = {other} where {one}'
        yield f"a row of {table} deleted", f"delete from {table} where {one}"
        yield f"a row of {table} twice", f"insert into {table} from {table} where {one}"
        yield f"a row of {table} given to no event", f"update {table} set seq = 999 where {one}"
    cell = f"run_id = '{run_id}' and task = 't2'"
    yield "a metric added", f"insert into metrics by name select * replace ('f1' as metric) from metrics where {cell}"
    yield (
        "two values exchanged",
        (
            f"update metrics set value = (select value from metrics m where m.run_id = '{run_id}' and m.task = "
            f"if(metrics.task = 't1', 't2', 't1')) where run_id = '{run_id}' and task in ('t1', 't2')"
        ),
    )
    yield "a value made NaN", f"update metrics set value = 'nan' where {cell}"
    yield "an event's digest", f"update merged_events set row_digest = 1 where run_id = '{run_id}' and kind = 'model'"
    yield "an event taken from the ledger", f"delete from merged_events where run_id = '{run_id}' and kind = 'model'"
    yield "an event added to it", f"insert into merged_events values ('{run_id}', 500, 'cell', 0, now(), null, null)"


def rows(folder: Path) -> Iterator[tuple[str, str | None]]:
    merged = Merged.make(folder)
    root, run_id = runs_root(merged.database), merged.run.run_id
    with db.open_write(merged.database) as con:
        statements = list(on_rows(con, run_id))
        for what, statement in statements:
            con.begin()
            con.execute(statement)
            found = accounts.altered(con, root)
            con.rollback()
            yield what, None if set(found) == {run_id} else f"merge would say {found}"
    truth = merged.rows()
    with duckdb.connect(merged.database) as con:
        for what, statement in statements:
            if what.endswith((" changed", " deleted", "a metric added")):
                con.execute(statement)
    remake(merged.database, root)
    same = merged.rows() == truth and not merge.merge_all(merged.database, root).altered
    yield "all of them, then made anew from the journals", None if same else "the database is another"


def journals(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Cut back after each line and within it; a byte of each line flipped."""
    merged = Merged.make(folder)
    path, truth = merged.run.journal_path, merged.rows()
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for number in range(len(lines)):
        before = b"".join(lines[:number])
        changed = {
            f"cut back to {number} lines": before,
            f"cut back within line {number + 1}": before + lines[number][:-5],
            f"a byte of line {number + 1} flipped": before + flipped(lines[number]) + b"".join(lines[number + 1 :]),
        }
        for what, content in changed.items():
            path.write_bytes(content)
            said = told(merged)
            line = number if what.startswith("cut") else number + 1
            if merged.rows() != truth:
                yield what, "the database is another"
            else:
                yield what, None if f"line {line}" in said else f"merge says {said!r}"
    path.unlink()
    yield "the journal gone", None if merged.rows() == truth and "is gone" in told(merged) else "nothing is said"
    path.write_bytes(whole)
    yield "the journal put back", None if not told(merged) else "something is still said"


def told(merged: Merged) -> str:
    """What `merge` says of the run, as the command asks."""
    report = merge.merge_all(merged.database, runs_root(merged.database))
    said = Digests.load(merged.database).damaged() | report.unreadable | report.cut
    return said.get(merged.run.run_id, "") if set(said) <= {merged.run.run_id} else f"of others: {said}"


def flipped(line: bytes) -> bytes:
    middle = len(line) // 2
    return line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]


PARTS = {"rows changed by hand": rows, "journals changed after they were merged": journals}


def main() -> int:
    tried, held = 0, 0
    for name, part in PARTS.items():
        of_part = 0
        with tempfile.TemporaryDirectory() as folder:
            for what, problem in part(Path(folder)):
                of_part, held = of_part + 1, held + (problem is None)
                if problem is not None:
                    print(f"  NOT HELD {what}: {problem}", flush=True)
        print(f"{name}: {of_part} tried")
        tried += of_part
    print(f"\n{tried} tried, {held} held.")
    return held != tried


if __name__ == "__main__":
    sys.exit(main())
