"""The dashboard on the published study, and on a run that kept its documents."""

from pathlib import Path

import pytest
from documents import answered, documented
from on_study import dashboard, own_user_data, until
from run_writer import RunWriter

from warehouse.merging import merge

__all__ = ["dashboard", "own_user_data", "until"]


@pytest.fixture
def questioned(tmp_path: Path) -> Path:
    """Two levels of a run with two documents each; only the answers before any filter differ."""
    run = RunWriter(tmp_path / "results.runs" / "r1")
    run.start()
    documented(run)
    for level in ("0", "40"):
        answered(run, level)
    merge.merge_run(tmp_path / "results.duckdb", run.folder)
    return tmp_path / "results.duckdb"
