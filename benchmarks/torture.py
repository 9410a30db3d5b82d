"""What the warehouse survives: writers at once, kills, cuts, full disks, wrong clocks; rows lost and doubled.

Run: python benchmarks/torture.py [ROUNDS [NAME...]], where a name is that of a fault, as `killed`; all without one.
docs/evidence/torture.md has what it found.

Each fault meets runs that are written through the program's own journal and merge, in processes of their own where
they are to die; then the warehouse is looked at. A row counts as written once the journal said so (`append` came back);
it is lost if no merge brings it, doubled if the warehouse has it twice. Both have to be 0. The tests run the same
faults, for fewer rounds.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from fault_injection.ages import clock_back, older_file
from fault_injection.count import Count
from fault_injection.cuts import database_cut, journal_cut, killed
from fault_injection.disks import disk_full, disk_full_at_every_write, small_disk
from fault_injection.together import held_by_a_reader, many_writers, resumed_twice

FAULTS: tuple[Callable[[Path, int, random.Random], Count], ...] = (
    many_writers, held_by_a_reader, killed, journal_cut, database_cut, disk_full, disk_full_at_every_write, small_disk,
    resumed_twice, older_file, clock_back,
)  # fmt: skip


def table(counts: list[Count], seed: int, seconds: float) -> str:
    lines = [
        "| what was done to it | rounds | rows written | lost | doubled | polite refusals |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for c in counts:
        lines.append(f"| {c.fault} | {c.rounds} | {c.written:,} | {c.lost} | {c.doubled} | {c.refused} |")
    lines.append(f"\nSeed {seed}, {seconds:.0f} s, DuckDB {duckdb.__version__}.")
    return "\n".join(lines)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    named = sys.argv[2:]
    seed, started, counts = 7, time.monotonic(), []
    for fault in FAULTS:
        if named and fault.__name__ not in named:
            continue
        with tempfile.TemporaryDirectory() as folder:
            counts.append(fault(Path(folder), rounds, random.Random(seed)))
            print(counts[-1], file=sys.stderr, flush=True)
    print(table(counts, seed, time.monotonic() - started))
    if any(count.lost or count.doubled for count in counts):
        sys.exit(1)


if __name__ == "__main__":
    main()
