"""What a sweep's runs come to together, as the list and its own screen show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.runs.device import device_of, visible_cards
from tui.runs.record import RunRow
from tui.runs.sweep_rows import grouped, sweeps_of, what_tells_apart
from tui.runs.sweep_table import places_text
from warehouse.records.events import Attempt
from warehouse.records.run_state import RunState

COLOURS: dict[str, str] = dict.fromkeys(("neutral", "primary"), "")


def piece(number: int, state: str = RunState.FINISHED, **more) -> RunRow:
    given = {
        "run_id": f"2026-{number}", "name": f"piece {number}", "model": "org/a", "method": "maw", "levels": ("0", "40"),
        "tasks": ("piqa",), "state": state, "done": 2, "failed": 0, "total": 2, "current": None, "seconds_left": None,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC), "folder": Path("x"), "sweep": "s", "sweep_name": "two",
        "host": "node", "device": "gpu 0", "attempt": 1,
    }  # fmt: skip
    return RunRow(**given | more)


def waiting(number: int, **more) -> RunRow:
    return piece(number, RunState.QUEUED, done=0, total=None, host=None, device="", attempt=0, **more)


def sweep(*pieces: RunRow, driven: bool = False):
    return sweeps_of(pieces, ["s"] if driven else [])["s"]


@pytest.mark.parametrize(
    ("states", "driven", "state"),
    [
        (["finished", "finished"], False, RunState.FINISHED),
        (["finished", "queued"], True, RunState.RUNNING),
        (["finished", "queued"], False, RunState.STOPPED),
        (["queued", "queued"], False, RunState.QUEUED),
        (["running", "crashed"], False, RunState.RUNNING),
        (["finished", "stopped", "interrupted"], False, RunState.INTERRUPTED),
        (["finished", "finished with failures"], False, RunState.FINISHED_WITH_FAILURES),
    ],
)
def test_a_sweep_is_at_work_as_long_as_somebody_sees_to_it_else_as_bad_as_its_worst(states, driven, state):
    pieces = [piece(number, RunState(one)) for number, one in enumerate(states)]
    assert sweep(*pieces, driven=driven).state == state


def test_the_list_has_one_line_for_a_sweep_and_its_other_runs_as_they_were():
    alone = piece(9, sweep=None)
    single = piece(8, sweep="other")  # what is left of one after its others were deleted
    rows = [piece(2), alone, piece(1, failed=1), single]
    lines = grouped(rows, sweeps_of(rows))
    assert [(line.run_id, line.pieces) for line in lines] == [("s", 2), ("2026-9", 0), ("2026-8", 0)]
    assert (lines[0].name, lines[0].done, lines[0].failed, lines[0].total) == ("two", 4, 1, 4)


def test_a_run_that_waits_has_as_many_evaluations_as_another_with_its_tasks():
    assert sweep(piece(1), waiting(2, levels=("60",))).row().total == 3
    assert sweep(piece(1), waiting(2, tasks=("mmlu",))).row().total is None


def test_time_left_is_told_when_nothing_waits():
    running = piece(1, RunState.RUNNING, seconds_left=30.0)
    assert sweep(running, replace(running, run_id="2026-2", seconds_left=50.0)).seconds_left == 50
    assert sweep(running, waiting(2)).seconds_left is None
    assert sweep(piece(1), piece(2)).seconds_left is None


def test_runs_are_told_apart_by_what_differs():
    pieces = [piece(1), piece(2, method="l2"), piece(3, repair="lsq")]
    assert [what_tells_apart(one, pieces) for one in pieces] == ["MAW", "L2", "MAW + LSQ"]
    assert what_tells_apart(piece(1), [piece(1), piece(2, model="org/b")]) == "a"
    assert what_tells_apart(piece(1), [piece(1), piece(2)]) == ""


def test_places_say_what_they_are_at_and_what_waits():
    at_work = piece(1, RunState.RUNNING, stage="load model", seconds_left=30.0)
    said = places_text(sweep(at_work, piece(2, device="gpu 1"), waiting(3), driven=True), COLOURS).plain
    assert said.splitlines() == [
        "node", "  gpu 0    ▶ piece 1: load model · 30s left", "  gpu 1    idle; 1 of 1 run done here",
        "1 run will be begun as a place is free",
    ]  # fmt: skip
    assert places_text(sweep(waiting(1), waiting(2)), COLOURS).plain.startswith("No run of it was begun yet.")


@pytest.mark.parametrize(
    ("provenance", "said", "cards"),
    [
        ({"device": "cuda:0", "gpu": {"visible": "3"}}, "gpu 3", [3]),
        ({"device": "cuda", "gpu": {"visible": None}}, "gpu 0", [0]),
        ({"device": "cuda:1", "gpu": {}}, "gpu 1", [1]),
        ({"device": "cuda", "gpu": {"visible": "GPU-abc"}}, "gpu GPU-abc", []),
        ({"device": "cuda", "gpu": {"visible": "0,1"}}, "gpu 0,1", [0, 1]),
        ({"device": "cpu"}, "cpu", []),
        ({}, "", []),
    ],
)
def test_where_an_attempt_was_made(provenance, said, cards):
    assert device_of(Attempt(attempt=1, pid=1, host="h", provenance=provenance)) == said
    assert visible_cards(said) == cards
