"""A calibrated run keeps its text: taken up again, and saved like, it is looked at on exactly the same tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.calibration.for_saving import text_for
from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from warehouse.records.events import Refused, of_kind
from warehouse.records.facts import CalibrationFacts, CellFacts, VariantFacts
from warehouse.records.level import parse_levels

PLAN = RunPlan(
    name="test",
    model="demo",
    levels=tuple(parse_levels("0,40")),
    tasks=(TaskSpec("demo_story"),),
    method="wanda",
    repair="lsq",
    calibration_tokens=2048,
    calibration_length=32,
    limit=4,
)


def new_run(folder: Path, plan: RunPlan = PLAN) -> RunDir:
    database = folder / "results.duckdb"
    return RunDir.create(runs_root(database), plan, database)


def scores(run: RunDir) -> dict[str, float]:
    return {cell.level: cell.metrics[0].value for cell in of_kind(run.events(), CellFacts)}


@pytest.mark.slow
def test_a_run_that_is_taken_up_again_has_the_text_it_began_with(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))
    [facts] = of_kind(run.events(), CalibrationFacts)
    assert (facts.source, facts.tokens, facts.seed, facts.path) == ("self", 2048, PLAN.seeds[0], "calibration.npz")
    assert {variant.repair for variant in of_kind(run.events(), VariantFacts)} == {"lsq"}
    before = scores(run)
    text = run.path / facts.path
    kept = text_for(None, tokens=None, length=None, seed=9, like=run.path)(None, None)  # type: ignore[arg-type]
    assert kept.hash == facts.hash

    lines = run.journal_path.read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"kind":"cell"' in line)
    run.journal_path.write_bytes(b"".join(lines[:first]))  # as a worker that was killed leaves it
    written = text.stat().st_mtime_ns
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))
    assert of_kind(run.events(), CalibrationFacts) == [facts]
    assert text.stat().st_mtime_ns == written
    assert scores(run) == pytest.approx(before)

    run.journal_path.write_bytes(b"".join(lines[:first]))
    text.unlink()
    assert launch.start(run).wait(timeout=300) == launch.REFUSED
    [refused] = of_kind(run.events(), Refused)
    assert "calibration.npz is missing or damaged" in refused.error


@pytest.mark.slow
def test_a_text_that_will_not_do_ends_the_run_before_it_measures(tmp_path: Path) -> None:
    text = tmp_path / "short.txt"
    text.write_text("Once upon a time.")
    plan = RunPlan(
        name="test", model="demo", levels=PLAN.levels, tasks=PLAN.tasks, method="obs", calibration=str(text), limit=2
    )
    run = new_run(tmp_path, plan)
    assert launch.start(run).wait(timeout=300) == launch.REFUSED
    [refused] = of_kind(run.events(), Refused)
    assert "tokens for this model, and 2,048 are needed" in refused.error
    assert of_kind(run.events(), CalibrationFacts) == []
    assert not (run.path / "calibration.npz").exists()


def test_a_run_that_was_calibrated_on_nothing_has_no_text_to_take(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.journal_path.touch()
    with pytest.raises(UserError, match="was calibrated on no text: leave --like out"):
        text_for(None, tokens=None, length=None, seed=0, like=run.path)
