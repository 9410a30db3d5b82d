"""A figure of what a level costs, followed back to the rounds in its run's journal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tui.cli.app import app
from tui.cli.guard import guarded
from warehouse.read.figures import check_figures, figure_origins
from warehouse.store import db


def row(number: int, mean: float | None, **about):
    told = {"workload": "w", "batch_size": 1, "quantity": "time_per_output_token", "unit": "ms", "mean": mean,
            "engine": "ours", "mode": "eager", "width": "exact", "phase": "decode", "round": number}  # fmt: skip
    return told | about


@pytest.fixture
def profiled(new_run, merged, database: Path) -> Path:
    run = new_run("r1")
    run.start()
    run.line("measured", level="40", measurements=[row(1, 99.0, half_width=9.0)])  # and again: the later one counts
    run.line("measured", level="40", measurements=[row(1, 9.0, half_width=0.3), row(2, 11.0, half_width=0.4)])
    run.line("measured", level="20", measurements=[row(1, None, note="no room")])
    merged(run)
    return database


def checked(database: Path, level: str):
    found = figure_origins(database, "Tiny", level, "time_per_output_token")
    return check_figures(found, database.with_name("results.runs"))


def test_the_journals_rounds_give_the_figure_again(profiled: Path) -> None:
    assert [(one.holds, one.said) for one in checked(profiled, "40")] == [(True, "its 2 rounds there say the same")]
    assert [(one.holds, one.said) for one in checked(profiled, "20")] == [
        (True, "its one round there has no figure either")
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("mean = 8.0 where round = 2", "its rounds there give 10.0, the database 8.5"),
        ("half_width = 0.1 where round = 2", "its rounds there give ± 0.25, the database 0.158"),
    ],
)
def test_what_the_journal_does_not_say_is_told_and_ends_with_1(
    profiled: Path, change: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with db.open_write(profiled) as con:
        con.execute(f"update measurements set {change}")
    [check] = checked(profiled, "40")
    assert check.holds is False
    assert check.said.startswith(said)
    assert guarded(app, ["why", "Tiny", "40", "time_per_output_token", "--db", str(profiled)]) == 1
    assert "✗ journal: its rounds there give" in capsys.readouterr().out


def test_without_the_runs_folder_nothing_can_be_verified(profiled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(profiled.with_name("results.runs"))
    assert guarded(app, ["why", "Tiny", "40", "time_per_output_token", "--json", "--db", str(profiled)]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert told["check"]["holds"] is None
    assert told["check"]["said"].endswith("it was imported, or its run is elsewhere")
