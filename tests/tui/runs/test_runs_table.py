"""The list of runs as a table: which columns there is room for."""

from __future__ import annotations

import pytest
from on_recording import NOW

from tui.runs.record import RunRow
from tui.runs.runs_table import columns


@pytest.mark.parametrize(("room", "beside"), [(77, False), (115, False), (73, True), (80, True), (123, True)])
def test_the_list_has_room_for_all_its_columns_also_while_a_run_is_at_work(room, beside):
    """At 80, 120, 150, 157 and 200 columns; else its last column is cut and a bar to scroll takes a line."""
    row = RunRow(
        run_id="20261130-120000-0000000", name="a name that is longer than its column can ever be, by far",
        model="org/model", method="maw", levels=("0", "40"), tasks=("piqa",), state="running", done=1, failed=0,
        total=2, current=None, seconds_left=522.0, created_at=NOW,
    )  # fmt: skip
    widths = columns([row], {row.run_id: row.name}, room, beside=beside)
    assert "left" in widths
    assert sum(widths.values()) <= room


@pytest.mark.parametrize(("longest", "left_out"), [(19, set()), (28, {"levels"}), (41, {"levels", "model"})])
def test_at_80_columns_what_is_told_below_the_list_gives_way_to_names(longest: int, left_out: set[str]):
    """The published study's are called `published scores of Llama-3.2-1B-Instruct`, 41 characters."""
    widths = columns([], {"run": "n" * longest}, 77, beside=False)
    assert {"levels", "model"} - set(widths) == left_out
    assert widths["run"] > longest
