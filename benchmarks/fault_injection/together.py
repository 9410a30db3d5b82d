"""Several processes at one warehouse, or at one run."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from warehouse.errors import DatabaseBusyError
from warehouse.store import db, journal

from .count import Cells, Count
from .processes import acknowledged, finish, start
from .writers import CELLS_OF_WRITER


def many_writers(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("many runs writing at once, a reader in between")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    for turn in range(rounds):
        writers = [start("write", database, runs / f"r{turn}-{i}", CELLS_OF_WRITER) for i in range(6)]
        while any(writer.poll() is None for writer in writers):
            if database.exists():
                try:
                    with db.open_read(database, wait=0):
                        time.sleep(dice.uniform(0, 0.1))
                except DatabaseBusyError:
                    count.refused += 1
            time.sleep(dice.uniform(0, 0.05))
        for writer in writers:
            everything += acknowledged(finish(writer))
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def held_by_a_reader(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("a reader that never lets go while runs write")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    for turn in range(rounds):
        with db.open_write(database):
            pass
        with db.open_read(database):
            everything += acknowledged(finish(start("write", database, runs / f"r{turn}", CELLS_OF_WRITER)))
            try:
                with db.open_write(database):
                    pass
            except DatabaseBusyError:
                count.refused += 1
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def resumed_twice(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("three processes resuming one run: two lose")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    for turn in range(rounds):
        (runs / f"r{turn}").mkdir(parents=True)
        workers = [start("write_alone", database, runs / f"r{turn}") for _ in range(3)]
        lines = [line for worker in workers for line in finish(worker)]
        everything += acknowledged(lines)
        count.refused += sum("is being worked on by" in text for run, text in lines if run == "refused")
        attempts = [event for event in journal.read(runs / f"r{turn}" / "journal.jsonl")[0] if event.kind == "attempt"]
        if len(attempts) + sum(run == "refused" for run, _ in lines) != len(workers):
            raise RuntimeError(f"{len(attempts)} of {len(workers)} processes worked, the others said nothing")
        count.rounds += 1
    count.check(database, runs, everything)
    return count
