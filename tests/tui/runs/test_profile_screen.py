"""A run's costs on the screen, and what is said where there are none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tui.app import Dashboard
from tui.runs.profile_screen import NOTHING, ProfileScreen, fitting
from tui.runs.profile_table import HEADER, cells, drift_line, machine_line
from warehouse.read.profile import Profile, ProfileRow
from warehouse.records.measurements import MachineFacts

NONE: dict[str, Any] = dict.fromkeys(ProfileRow.__dataclass_fields__)
ROW = ProfileRow(
    **NONE | {
        "level": "40", "pruning_pct": 40.0, "width": "padded", "padded_size": 4928, "workload": "w", "first_ms": 9.87,
        "token_ms": 1.2345, "token_half_width": 0.0123, "drift_pct": 0.52, "tokens_per_s": 812.3,
        "decode_joules": 0.2131,
        "token_limit_share": 0.415, "token_limited_by": "copy", "peak_bytes": 1.9e9, "weights_bytes": 1.827e9,
    }
)  # fmt: skip


def test_a_row_says_what_a_width_costs() -> None:
    assert dict(zip(HEADER, cells(ROW), strict=True)) == {
        "level": "40%", "width": "4928 padded", "first token": "9.87 ms", "ms/token": "1.23 ±0.012", "drift": "0.5%",
        "tokens/s": "812", "of limit": "42% copy", "J/token": "0.213", "peak": "1.90 GB", "weights": "1.83 GB",
    }  # fmt: skip


def test_the_largest_batch_stands_with_its_width() -> None:
    row = replace(ROW, workload="64 in, 8 out, as many as fit", batch_size=448, first_ms=2604.0)
    assert cells(row)[1:3] == ("4928 padded, 448 at a time", "2,604 ms")


def test_drift_is_named_where_intervals_do_not_show_it() -> None:
    """0.52 % of 1.2345 ms is 0.0064, within ± 0.0123; 4 % is 0.049, and more than the interval is wide."""
    assert drift_line(Profile(None, (ROW,))) == "rounds are up to 0.5% apart (level 40, padded, w)"
    worse = replace(ROW, level="20", drift_pct=4.0)
    assert drift_line(Profile(None, (ROW, worse))) == (
        "rounds are up to 4.0% apart (level 20, padded, w); of 1 of 2 figures that is more than their ±"
    )
    assert drift_line(Profile(None, (replace(ROW, drift_pct=None),))) is None


def test_columns_that_say_nothing_leave_room_for_others() -> None:
    rows = [cells(ROW)]
    assert [HEADER[at] for at in fitting(rows, 120)] == list(HEADER)
    assert set(HEADER) - {HEADER[at] for at in fitting(rows, 88)} == {"weights", "drift"}
    on_a_cpu = [cells(replace(ROW, peak_bytes=None, decode_joules=None))]
    assert set(HEADER) - {HEADER[at] for at in fitting(on_a_cpu, 88)} == {"peak", "J/token"}


def test_what_is_missing_says_why_in_its_place() -> None:
    row = ProfileRow(**NONE | {"level": "0", "pruning_pct": 0.0, "workload": "w", "missing": "no room"})
    assert cells(row)[:4] == ("0%", "", "no room", "")


def test_a_machine_is_told_with_what_it_lacks() -> None:
    told: dict[str, Any] = dict.fromkeys(MachineFacts.__dataclass_fields__) | {
        "device": "NVIDIA L4",
        "energy_missing": "no driver",
    }
    assert machine_line(MachineFacts(**told)) == "NVIDIA L4; no energy: no driver"


@pytest.mark.slow
def test_the_studys_measurements_are_tables_and_a_run_without_says_so(study: Path) -> None:
    async def shown(run_id: str) -> ProfileScreen:
        app = Dashboard(study)
        async with app.run_test() as pilot:
            screen = ProfileScreen(run_id)
            await app.push_screen(screen)
            while screen.profile is None:
                await pilot.pause()
            await pilot.press("escape")
            assert screen not in app.screen_stack
        return screen

    found = asyncio.run(asyncio.wait_for(shown("nothing"), 60)).profile
    assert found is not None
    assert found.rows == ()
    assert NOTHING.startswith("This run measured no cost.")
