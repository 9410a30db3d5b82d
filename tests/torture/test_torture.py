"""What benchmarks/torture.py does for minutes, for a few seconds: no row is lost, none is there twice."""

from __future__ import annotations

import importlib
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from warehouse.merging import merge
from warehouse.store import db

pytestmark = pytest.mark.slow

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
torture, count, writers = (
    importlib.import_module(name) for name in ("torture", "fault_injection.count", "fault_injection.writers")
)

ROUNDS = {
    "many_writers": 1, "held_by_a_reader": 1, "resumed_twice": 1, "journal_cut": 20, "clock_back": 3,
    "disk_full_at_every_write": 1,
}  # fmt: skip


@pytest.mark.parametrize("fault", torture.FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_is_lost_or_doubled(fault, tmp_path: Path) -> None:
    found = fault(tmp_path, ROUNDS.get(fault.__name__, 2), random.Random(11))
    if not found.rounds:
        pytest.skip("this needs the right to mount a file system")
    assert found.written > 0
    assert (found.lost, found.doubled) == (0, 0)


def test_a_lost_row_and_a_doubled_one_would_be_counted(tmp_path: Path) -> None:
    """The measure itself, on a warehouse that was tampered with."""
    database, runs = tmp_path / "results.duckdb", tmp_path / "results.runs"
    writer = writers.begin(runs / "r0")
    for task in ("kept", "taken", "doubled"):
        writers.cell(writer, task)
    merge.merge_run(database, runs / "r0")
    with db.open_write(database) as con:
        con.execute("delete from metrics where task = 'taken'")
        con.execute("insert into metrics from metrics where task = 'doubled'")
    found = count.Count("tampering")
    found.check(database, runs, Counter({("r0", task): 1 for task in ("kept", "taken", "doubled")}))
    assert (found.lost, found.doubled) == (1, 1)
