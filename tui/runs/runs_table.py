"""The list of runs as a table: which columns there is room for, and what a run says in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from tui import format as fmt
from tui.format import levels_text
from tui.runs.record import RunRow
from tui.runs.states import left_text, state_text
from warehouse.records.names import short_name
from warehouse.records.run_state import RunState
from warehouse.text import counted, one_line

# Columns and their widths, the gap to the next included: the first set that there is room for. The last goes anywhere.
_SETS: tuple[dict[str, int], ...] = (
    {"run": 26, "model": 28, "method": 12, "levels": 10, "tasks": 20, "state": 15, "progress": 21, "started": 10},
    {"run": 19, "model": 22, "levels": 10, "state": 14, "progress": 19, "started": 9},
    {"run": 12, "model": 15, "levels": 9, "state": 14, "progress": 10, "started": 9},
)
# Where the chosen run tells the rest.
_BESIDE: tuple[dict[str, int], ...] = (
    {"run": 24, "model": 16, "state": 14, "progress": 10, "started": 9},
    {"run": 19, "model": 13, "state": 14, "progress": 10, "started": 9},
)
_LEFT = 8  # the column `left`, while a run is at work
_GIVE_WAY = ("levels", "model")  # to names that there is no room for
NUMBERS = frozenset({"progress", "started", "left"})  # they stand right, under headers that do
MARK = "●"


class RunsTable(DataTable[Text]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", tooltip="Open the run: its grid, rates, log and GPU"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "scroll_top", show=False),
        Binding("G", "scroll_bottom", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self.row_count) if action == "select_cursor" else super().check_action(action, parameters)


def columns(rows: Sequence[RunRow], names: Mapping[str, str], room: int, *, beside: bool) -> dict[str, int]:
    """Columns and their widths; room that no column needs goes to the names of runs and models that are longer.

    `beside` says that the chosen run is shown in full beside the list. What is told there, or below the list, gives way
    to names.
    """
    sets = _BESIDE if beside else _SETS
    # So that a column comes or goes with the terminal's width only, room for `left` is kept whether it is there or not.
    chosen = dict(next((one for one in sets if sum(one.values()) + _LEFT <= room), sets[-1]))
    longest = max(map(cell_len, names.values()), default=0) + 1
    for column in _GIVE_WAY:
        if column in chosen and chosen["run"] + room - sum(chosen.values()) < longest:
            chosen["run"] += chosen.pop(column)
    if any(row.seconds_left is not None for row in rows):
        chosen["left"] = _LEFT
        chosen["run"] -= max(sum(chosen.values()) - room, 0)
    models = max((cell_len(short_name(row.model)) for row in rows), default=0) + 1
    for column, wanted in (("run", longest), ("model", models)):
        if column in chosen:
            chosen[column] += max(min(room - sum(chosen.values()), wanted - chosen[column]), 0)
    return chosen


def line(
    row: RunRow, name: str, widths: Mapping[str, int], now: datetime, colours: dict[str, str], *, marked: bool
) -> list[Text]:
    """What a run says in each of the columns."""
    return [_text(row, name, column, width, now, colours, marked) for column, width in widths.items()]


def _text(
    row: RunRow, name: str, column: str, width: int, now: datetime, colours: dict[str, str], marked: bool
) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    match column:
        case "run":
            if marked:
                text.append(f"{MARK} ", style=f"bold {colours['accent']}")
            text.append(one_line(name), style="bold" if row.running or marked else "")
        case "model":
            text.append(one_line(short_name(row.model)))
        case "method":
            text.append(row.pruned_with.upper())
        case "levels":
            text.append(levels_text(row.levels))
        case "tasks":
            text.append(f"{row.suite} suite" if row.suite else ", ".join(row.tasks))
        case "state":
            text = state_text(row, colours)
        case "progress":
            text.append(_progress(row, width))
        case "started":
            text.append(fmt.ago(row.created_at, now))
        case "left":
            text.append(left_text(row))
    text.truncate(width - 1, overflow="ellipsis")
    if column in NUMBERS:
        text.pad_left(width - 1 - text.cell_len)
    return text


def _progress(row: RunRow, width: int) -> str:
    if row.origin != "run":
        return counted(row.done, "score") if row.done else "–"
    done = f"{row.done}/{row.total}" if row.total else "–"
    if width < 15 or (row.total is None and row.state != RunState.RUNNING):
        return done
    return f"{fmt.bar(row.share, width - 10)} {done}"


def shortened(names: Mapping[str, str], width: int) -> dict[str, str]:
    """Each run's name in at most `width` characters: cut at its end; where that makes two alike, in the middle; where
    that does, too, with the end of the run's id.
    """
    end = width * 2 // 3
    ways: tuple[Callable[[str, str], str], ...] = (
        lambda _, name: name[: width - 1] + "…",
        lambda _, name: f"{name[: width - end - 1]}…{name[-end:]}",
        lambda run_id, name: f"{name[: max(width - 10, 1)]}… ·{run_id.rpartition('-')[2]}"[:width],
    )
    found = {run_id: name for run_id, name in names.items() if cell_len(name) <= width}
    for way in ways:
        cut = {run_id: way(run_id, name) for run_id, name in names.items() if run_id not in found}
        times = Counter([*cut.values(), *found.values()])
        found |= {run_id: text for run_id, text in cut.items() if times[text] == 1 or way is ways[-1]}
    return found
