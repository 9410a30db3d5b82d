"""What docs/sweeps.md shows works as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest

from engine.runs.rundir import RunDir
from prune_tui.ours import FOLDER

PAGE = (FOLDER / "docs" / "sweeps.md").read_text(encoding="utf-8")
SBATCH = """#!/bin/sh
last=${1#--array=1-}
for SLURM_ARRAY_TASK_ID in $(seq "$last"); do export SLURM_ARRAY_TASK_ID; sh "$2" || exit 1; done
"""


def shown(name: str) -> str:
    [text] = re.findall(rf"^ *```\w+\n *(?:#|--) {re.escape(name)}\n(.*?)^ *```", PAGE, re.M | re.S)
    return dedent(text)


def write(fake, *names: str) -> None:
    for name in names:
        (fake.cwd / name).write_text(shown(name))


def test_the_sweep_file_is_one(fake):
    write(fake, "sweep.toml")
    done = fake("run", "sweep.toml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "4. org/second at main, l2: levels 20, 40; piqa, boolq@0; 4 evaluations" in done.stdout


def test_a_lake_of_parquet_has_the_rows_of_the_file_and_none_of_a_run_that_is_gone(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_it, read_it = (one for one in shown("parquet.sql").split(";") if one.strip())
    with duckdb.connect(study, read_only=True) as con:
        con.execute(write_it.replace("baseline_deltas)", "(select *, 'gone' as run_id from range(3)))"))
        assert len(con.execute(read_it).fetchall()) == 3
        con.execute(write_it)
        rows = con.execute(f"select model, task, metric, delta, run_id from ({read_it}) order by all").fetchall()
        columns = "model, task, metric, delta, run_id"
        assert rows == con.execute(f"select {columns} from baseline_deltas order by all").fetchall()
    assert len(rows) > 100
    assert {path.parent.name for path in Path("deltas").rglob("*.parquet")} == {f"run_id={row[-1]}" for row in rows}


@pytest.mark.slow
def test_an_array_of_jobs_carries_it_out(fake):
    """`sbatch` is a stand-in that runs the jobs one after another."""
    write(fake, "sweep.toml", "array.sh", "submit.sh")
    bin_ = fake.cwd / "bin"
    bin_.mkdir()
    worker = Path(__file__).with_name("with_fake_worker.py")
    for name, text in (("sbatch", SBATCH), ("prune-tui", f'#!/bin/sh\nexec "{sys.executable}" "{worker}" "$@"\n')):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PRUNE_TUI")}
    done = subprocess.run(
        ["sh", "submit.sh"], cwd=fake.cwd, env=environment | {"PATH": f"{bin_}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [str(RunDir(path).state()) for path in fake.runs] == ["finished"] * 4
    assert {RunDir(path).plan.sweep_name for path in fake.runs} == {"two-methods"}
