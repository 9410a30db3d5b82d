"""Where a sweep goes on that is taken up again: where it was, unless somebody says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.where import Where
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from engine.sweeps import driving, steering
from tui.cli.pieces import where_again
from warehouse.records.level import parse_levels

RAY = Where(on="ray://head:10001", alone="stop")


@pytest.fixture
def runs(tmp_path: Path) -> list[RunDir]:
    plan = RunPlan(name="a", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"),), sweep="s")
    return create_all([plan, plan], tmp_path / "results.duckdb")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be started."""
    words: list[list[str]] = []

    class Started:
        pid = 7

        def __init__(self, command: list[str], **_: object) -> None:
            words.append(command[command.index("resume") :])

        def poll(self) -> int:
            return 0

    monkeypatch.setattr(steering.subprocess, "Popen", Started)
    monkeypatch.setattr(steering, "_last_words", lambda path: "ended")
    return words


def test_a_sweep_and_each_run_of_it_go_on_on_the_cluster_that_they_were_on(tmp_path: Path, runs, said):
    database = tmp_path / "results.duckdb"
    driving.remember(database, "s", RAY)
    for some in (runs, runs[:1]):
        assert steering.where_of(some, database) == RAY
        with pytest.raises(steering.UserError, match="ended"):
            steering.carry_on(some, database, RAY)
    assert [words[1] for words in said] == ["s", runs[0].run_id]
    assert all(words[-4:] == ["--on", "ray://head:10001", "--alone", "stop"] for words in said)


def test_it_goes_on_here_once_it_was_carried_out_here(tmp_path: Path, runs, said):
    database = tmp_path / "results.duckdb"
    driving.remember(database, "s", RAY)
    driving.remember(database, "s", Where())
    assert steering.where_of(runs, database) == Where()
    with pytest.raises(steering.UserError, match="ended"):
        steering.carry_on(runs, database, Where())
    assert said[0][-2:] == ["--on", "local"]


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ((None, None, None), RAY),
        ((None, "finish", None), Where(on="ray://head:10001")),
        (("local", None, None), Where()),
        (("ray", None, None), Where(on="ray")),
        ((None, None, "0"), Where(gpus="0")),
    ],
)
def test_resume_takes_the_cluster_of_before_unless_a_place_is_typed(tmp_path: Path, runs, typed, where, capsys):
    database = tmp_path / "results.duckdb"
    driving.remember(database, "s", RAY)
    assert where_again(runs, database, *typed) == where
    assert ("where it was carried out before" in capsys.readouterr().err) == (where.on == RAY.on)
