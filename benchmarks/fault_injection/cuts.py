"""Sudden ends: processes killed, files cut."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

from warehouse.errors import UserError
from warehouse.merging import merge
from warehouse.store import db

from .count import Cells, Count, in_journals
from .processes import acknowledged, finish, start
from .writers import begin, cell


def killed(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("kill -9 at any moment, then resumed")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    for turn in range(rounds):
        writer = start("write", database, runs / f"r{turn % 3}", 10_000)
        assert writer.stdout is not None
        lines = [json.loads(writer.stdout.readline()) for _ in range(dice.randrange(1, 12))]
        time.sleep(dice.uniform(0, 0.1))
        writer.kill()
        everything += acknowledged(lines + finish(writer, killed=True))
        count.rounds += 1
    extra = in_journals(runs) - everything  # written, and killed before it could be said
    count.check(database, runs, everything | extra)
    return count


def journal_cut(folder: Path, rounds: int, dice: random.Random) -> Count:
    """What was merged before the cut stays, what was not is as lost as the bytes, what comes after is there."""
    count = Count("journal cut at any byte after it was merged, then resumed")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    run, everything = runs / "r0", Cells()
    for turn in range(rounds):
        writer = begin(run)
        for number in range(dice.randrange(1, 8)):
            cell(writer, f"t{turn}-{number}")
            everything["r0", f"t{turn}-{number}"] += 1
            if dice.random() < 0.3:
                merge.merge_run(database, run)
        writer.close()
        merge.merge_run(database, run)
        path = run / "journal.jsonl"
        os.truncate(path, dice.randrange(path.stat().st_size // 2, path.stat().st_size + 1))
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def database_cut(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Cut the file or its log; where it can be read no more, do what the program says and make it anew."""
    count = Count("database, or its log, cut at any byte; made anew where it was refused")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    log = database.with_name("results.duckdb.wal")
    everything: Cells = Counter()
    for turn in range(rounds):
        writer = start("write", database, runs / f"r{turn}", 10_000)
        lines = []
        assert writer.stdout is not None
        for _ in range(dice.randrange(3, 12)):  # the first is said before there is a database
            lines.append(json.loads(writer.stdout.readline()))
        time.sleep(dice.uniform(0, 0.05))
        writer.kill()
        everything += acknowledged(lines + finish(writer, killed=True))
        victim = log if log.exists() and dice.random() < 0.5 else database
        os.truncate(victim, dice.randrange(victim.stat().st_size + 1))
        try:
            merge.merge_all(database, runs, wait=60)
            with db.open_read(database) as con:
                con.execute("select sum(value), count(distinct task) from metrics").fetchall()
        except UserError as error:
            count.refused += 1
            if "not a DuckDB database" not in str(error) and "makes the database anew" not in str(error):
                raise
            database.unlink()
            log.unlink(missing_ok=True)
        count.rounds += 1
    extra = in_journals(runs) - everything
    count.check(database, runs, everything | extra)
    return count
