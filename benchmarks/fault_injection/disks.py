"""Disks that are full, and then have room again."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .count import Cells, Count, in_journals
from .processes import acknowledged, finish, said, start
from .writers import CELLS_OF_WRITER


def disk_full(folder: Path, rounds: int, dice: random.Random) -> Count:
    count = Count("no file may grow beyond N bytes, for many N; then room again")
    database, runs = folder / "results.duckdb", folder / "results.runs"
    everything: Cells = Counter()
    for turn in range(rounds):
        # Journals of some KiB, a database that grows by blocks of 256 KiB: both kinds of limit.
        room = dice.randrange(200, 12_000) if turn % 2 else dice.randrange(12_000, 6_000_000)
        lines = finish(start("write_until_full", database, runs / f"r{turn}", room))
        everything += acknowledged(lines)
        count.refused += sum(run == "refused" for run, _ in lines)
        count.rounds += 1
    count.check(database, runs, everything)
    return count


def disk_full_at_every_write(folder: Path, rounds: int, dice: random.Random) -> Count:
    """Not at random: at each byte of a journal's line, and at sizes of the database from nothing to the whole."""
    count = Count("full at every byte of an event, and at 5 sizes a round of a new database; then room again")
    runs = folder / "results.runs"
    lines = finish(start("write_at_every_limit", folder, runs / "r0", 5 * rounds))
    count.refused = sum(run == "refused" for run, _ in lines)
    for number in range(5 * rounds):
        count.check(folder / f"limit-{number}.duckdb", runs, acknowledged(lines))
    count.rounds = rounds
    return count


def small_disk(folder: Path, rounds: int, dice: random.Random) -> Count:
    """A real one, where the machine lets us make it: a file system of a few MB in memory."""
    count = Count("a disk of 2 to 4 MB that is full; then room again")
    everything: Cells = Counter()
    for turn in range(rounds):
        with mounted(folder / "small", dice.randrange(2048, 4096)) as small:
            if small is None:
                return count
            database, runs = small / "results.duckdb", small / "results.runs"
            ballast = small / "ballast"
            process = start("write", database, runs / f"r{turn}", CELLS_OF_WRITER)
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            time.sleep(dice.uniform(0, 1.5))
            fill(ballast)
            lines = [first, *said(process)]
            error = process.communicate()[1]
            count.refused += "no room" in error or "is full" in error
            everything = acknowledged(lines)
            ballast.unlink()
            kept = folder / f"kept-{turn}"
            shutil.copytree(small, kept)
            count.check(kept / "results.duckdb", kept / "results.runs", everything | in_journals(runs))
        count.rounds += 1
    return count


@contextmanager
def mounted(folder: Path, kibibytes: int) -> Iterator[Path | None]:
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    try:
        with ballast.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
    except OSError:
        pass  # full, as it should be
