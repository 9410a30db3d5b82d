"""Files of another age, and clocks that go wrong."""

from __future__ import annotations

import gzip
import random
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path
from unittest.mock import patch

import duckdb

from warehouse.merging import merge
from warehouse.records.facts import ModelFacts, VariantFacts
from warehouse.records.values import read
from warehouse.store import db, journal

from .count import Cells, Count
from .processes import finish, start
from .writers import begin, cell

FIRST_RELEASE = Path(__file__).parents[2] / "tests" / "warehouse" / "schema_0001.duckdb.gz"


def older_file(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Killed while it is backed up and migrated: the rows are there afterwards, and in the backup."""
    count = Count("a file of the first release, kill -9 while it is brought up to date")
    for turn in range(rounds):
        database = folder / f"{turn}" / "results.duckdb"
        database.parent.mkdir()
        database.write_bytes(gzip.decompress(FIRST_RELEASE.read_bytes()))
        before = rows_of(database)
        process = start("bring_up_to_date", database)
        time.sleep(dice.uniform(0.15, 0.6))
        process.kill()
        finish(process, killed=True)
        with db.open_read(database, wait=60):
            pass
        backups = list(database.parent.glob("results.schema-1.backup*.duckdb"))
        for path in (database, *backups):
            found = rows_of(path)
            count.written += before.total()
            count.lost += (before - found).total()
            count.doubled += (found - before).total()
        if not backups:
            raise RuntimeError("an older file was migrated without a backup")
        count.rounds += 1
    return count


def rows_of(database: Path) -> Counter[tuple]:
    with duckdb.connect(database, read_only=True) as con:
        return Counter(con.execute("select run_id, seq, level, task, metric, value from metrics").fetchall())


def clock_back(folder: Path, rounds: int, dice: random.Random) -> Count:
    """It jumps by up to a year either way between events. Whatever was measured last in a run is what counts."""
    count = Count("clock going backwards and forwards within a run")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    now = time.time()
    for turn in range(rounds):
        with patch.object(journal.time, "time", lambda: now + dice.uniform(-3e7, 3e7)):
            writer = begin(runs / f"r{turn}")
            unknown = dict.fromkeys(field.name for field in fields(ModelFacts))
            writer.append(read(ModelFacts, unknown | {"model": "m", "intermediate_size": 100 + turn}))
            unknown = dict.fromkeys(field.name for field in fields(VariantFacts)) | {"repair": "none"}
            width = {"level": "0", "method": "maw", "pruning_pct": 0.0, "intermediate_size": 100 + turn}
            writer.append(read(VariantFacts, unknown | width))
            for number in range(10):
                cell(writer, "again", value=float(number))
                everything[f"r{turn}", "again"] += 1
                merge.merge_run(database, runs / f"r{turn}")
            writer.close()
        count.rounds += 1
    count.check(database, runs, everything)
    with db.open_read(database) as con:
        current = con.execute("select value from current_metrics").fetchall()
    if current != [(9.0,)] * rounds:
        raise RuntimeError(f"the last of ten values is 9, but {current} are current")
    return count
