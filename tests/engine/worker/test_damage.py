"""A run that is asked to measures each level's damage, on text that it keeps and that its sweep shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.sweep import spread
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from warehouse.records.events import Refused, of_kind
from warehouse.records.facts import CellFacts, TaskFacts
from warehouse.records.level import parse_levels
from warehouse.stats.metrics.damage import TASK

PLAN = RunPlan(
    name="test", model="demo", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("demo_sums"),), limit=2, damage=True
)


def finished(run: RunDir) -> None:
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))


def divergences(run: RunDir) -> dict[str, float]:
    cells = of_kind(run.events(), CellFacts)
    return {cell.level: cell.metrics[0].value for cell in cells if cell.task == TASK}


def hashes(run: RunDir) -> list[str | None]:
    return [facts.tokens_hash for facts in of_kind(run.events(), TaskFacts) if facts.task == TASK]


@pytest.mark.slow
def test_a_sweep_measures_all_its_methods_on_one_text(tmp_path: Path) -> None:
    runs = create_all(spread([PLAN], ["maw"], ["none", "lsq"]), tmp_path / "results.duckdb")
    for run in runs:
        finished(run)
    first, second = map(divergences, runs)
    assert first["0"] == 0
    assert second.keys() == {"40"}  # the unpruned model was measured in the first
    assert 0 < second["40"] < first["40"]
    [kept], [shared] = map(hashes, runs)
    assert kept == shared


@pytest.mark.slow
def test_a_run_that_is_taken_up_again_measures_on_the_text_that_it_began_with(tmp_path: Path) -> None:
    [run] = create_all([PLAN], tmp_path / "results.duckdb")
    finished(run)
    before, [kept] = divergences(run), hashes(run)
    lines = run.journal_path.read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"kind":"cell"' in line)
    run.journal_path.write_bytes(b"".join(lines[:first]))  # as a worker that was killed leaves it
    finished(run)
    assert divergences(run) == pytest.approx(before)
    assert hashes(run) == [kept]

    run.journal_path.write_bytes(b"".join(lines[:first]))
    (run.path / "damage.npz").write_bytes(b"")
    assert launch.start(run).wait(timeout=300) == launch.REFUSED
    [refused] = of_kind(run.events(), Refused)
    assert "damage.npz is missing or damaged" in refused.error


@pytest.mark.slow
def test_a_run_that_is_not_asked_has_no_damage(tmp_path: Path) -> None:
    [run] = create_all([replace(PLAN, damage=False)], tmp_path / "results.duckdb")
    finished(run)
    assert not divergences(run)
    assert not hashes(run)
    assert not (run.path / "damage.npz").exists()
