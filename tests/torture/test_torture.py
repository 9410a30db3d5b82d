"""What benchmarks/torture.py does for minutes, for a few seconds: no row is lost, none is there twice."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "torture.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("torture", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["torture"] = module
    spec.loader.exec_module(module)
    return module


torture = _load()
ROUNDS = {
    "many_writers": 1, "held_by_a_reader": 1, "resumed_twice": 1, "journal_cut": 20, "clock_back": 3,
    "disk_full_at_every_write": 1,
}  # fmt: skip


@pytest.mark.parametrize("torment", torture.TORMENTS, ids=lambda torment: torment.__name__)
def test_nothing_is_lost_or_doubled(torment, tmp_path: Path) -> None:
    count = torment(tmp_path, ROUNDS.get(torment.__name__, 2), random.Random(11))
    if not count.rounds:
        pytest.skip("this needs the right to mount a file system")
    assert count.written > 0
    assert (count.lost, count.doubled) == (0, 0)


def test_a_lost_row_and_a_doubled_one_would_be_counted(tmp_path: Path) -> None:
    """The torments' own measure, on a warehouse that was tampered with."""
    database, runs = tmp_path / "results.duckdb", tmp_path / "results.runs"
    writer = torture.begin(runs / "r0")
    for task in ("kept", "taken", "doubled"):
        torture.cell(writer, task)
    torture.merge.merge_run(database, runs / "r0")
    with torture.db.open_write(database) as con:
        con.execute("delete from metrics where task = 'taken'")
        con.execute("insert into metrics from metrics where task = 'doubled'")
    count = torture.Count("tampering")
    count.check(database, runs, torture.Counter({("r0", task): 1 for task in ("kept", "taken", "doubled")}))
    assert (count.lost, count.doubled) == (1, 1)
