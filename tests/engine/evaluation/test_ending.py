"""How a worker ends where there is no room left: by one sentence, with what it recorded kept."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from cases import one_in

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.launch import FAILED, REFUSED
from engine.runs.rundir import RunDir, runs_root
from engine.worker import __main__ as worker
from engine.worker import attempt
from warehouse.records.events import Crashed, Refused, Stage, of_kind
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal, JournalFullError

PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(runs_root(tmp_path / "results.duckdb"), PLAN, tmp_path / "results.duckdb")


def meets(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(attempt, "attempt", fail)


@pytest.mark.parametrize("number", one_in(3, [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]))
def test_a_full_disk_is_no_defect(run: RunDir, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    meets(monkeypatch, OSError(number, "No room", str(run.samples_dir / "0-piqa-1.draft")))
    assert worker.main(str(run.path)) == REFUSED
    [refused] = of_kind(run.events(), Refused)
    assert refused.error == (
        f"There is no room for {run.samples_dir}/0-piqa-1.draft (No room): free some space, then go on. What was "
        "recorded so far is kept."
    )


def test_where_not_even_that_can_be_written_the_log_says_it(
    run: RunDir, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    append = Journal.append

    def full(journal: Journal, data: object) -> int:
        if isinstance(data, Refused):
            raise JournalFullError("There is no room for the journal to grow.")
        return append(journal, data)  # type: ignore[arg-type]

    monkeypatch.setattr(Journal, "append", full)
    meets(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert worker.main(str(run.path)) == REFUSED
    assert capsys.readouterr().err.endswith("There is no room for the journal to grow.\n")
    assert len(of_kind(run.events(), Stage)) == 1  # what came before is kept


def test_another_error_of_the_system_stays_a_defect(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.worker.recorder.Recorder.merge", lambda *_, **__: True)
    meets(monkeypatch, OSError(errno.EIO, "Input/output error"))
    assert worker.main(str(run.path)) == FAILED
    assert len(of_kind(run.events(), Crashed)) == 1
