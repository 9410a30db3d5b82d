"""The runs of a sweep as a table, below a line for all of them; and its places in words."""

from __future__ import annotations

from platform import node
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.widgets import DataTable

from tui import format as fmt
from tui.format import levels_text
from tui.runs.record import RunRow
from tui.runs.runs_table import RunsTable
from tui.runs.states import left_text, state_text
from tui.runs.sweep_rows import SweepRow, what_tells_apart
from warehouse.records.level import level_label
from warehouse.records.run_state import RunState
from warehouse.text import counted, one_line

_NARROW = {"run": 17, "levels": 9, "state": 14, "progress": 9, "place": 16, "try": 4, "left": 7}
_NORMAL = {"run": 24, "levels": 12, "tasks": 16, "state": 14, "progress": 19, "place": 17, "try": 4, "left": 8}
_WIDE = {"run": 40, "levels": 22, "tasks": 34, "state": 16, "progress": 27, "place": 26, "try": 5, "left": 9}
_NUMBERS = frozenset({"progress", "try", "left"})


class SweepTable(DataTable[Text]):
    """Keeps its cursor on the run that it is on, whatever comes and goes."""

    BINDINGS: ClassVar[list[BindingType]] = RunsTable.BINDINGS

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, cursor_type="row", cell_padding=0)
        self._lines: dict[str, list[Text]] = {}
        self._shape: tuple[object, ...] = ()

    @property
    def chosen(self) -> str | None:
        """The id of the run under the cursor, or on the first line of the sweep."""
        keys = list(self._lines)
        return keys[self.cursor_row] if self.row_count and self.cursor_row < len(keys) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.cursor_row > 0 if action == "select_cursor" else super().check_action(action, parameters)

    def show(self, row: SweepRow, width: int) -> None:
        columns = _NARROW if width < 100 else _NORMAL if width < 150 else _WIDE
        room = max(width - 3 - sum(columns.values()), 0)
        columns = columns | {"run": columns["run"] + room}
        colours = self.app.theme_variables
        lines = {row.sweep: _line(row.row(), row, columns, colours)}
        lines |= {piece.run_id: _line(piece, row, columns, colours) for piece in row.pieces}
        shape = (tuple(lines), tuple(columns.items()), self.app.theme)
        if shape == self._shape:
            for key, line in lines.items():
                for name, text, before in zip(columns, line, self._lines[key], strict=True):
                    if text != before:
                        self.update_cell(key, name, text)
            self._lines = lines
            return
        chosen = self.chosen
        self._shape, self._lines = shape, lines
        self.clear(columns=True)
        for name, size in columns.items():
            self.add_column(name.rjust(size - 1) if name in _NUMBERS else name, width=size, key=name)
        for key, line in lines.items():
            self.add_row(*line, key=key)
        if chosen in lines:
            self.move_cursor(row=list(lines).index(chosen))


def _line(one: RunRow, row: SweepRow, columns: dict[str, int], colours: dict[str, str]) -> list[Text]:
    return [_text(one, row, name, width, colours) for name, width in columns.items()]


def _text(one: RunRow, row: SweepRow, column: str, width: int, colours: dict[str, str]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    match column:
        case "run" if one.pieces:
            text.append(f"all {counted(one.pieces, 'run')}", style="bold")
        case "run":
            apart = what_tells_apart(one, row.pieces)
            text.append(f"  {one_line(apart or one.name)}", style="bold" if one.running else "")
        case "levels":
            text.append(levels_text(one.levels))
        case "tasks":
            text.append(f"{one.suite} suite" if one.suite else ", ".join(one.tasks))
        case "state":
            text = state_text(one, colours)
        case "progress":
            total = row.total_of(one)
            cells = f"{one.done}/{total}" if total else "–"
            text.append(cells if width < 15 else f"{fmt.bar(one.share, width - 10)} {cells}")
        case "place":
            text.append(_place_of(one, row, wide=width > 20))
        case "try":
            text.append(str(one.attempt) if one.attempt else "")
        case "left":
            text.append(left_text(one))
    text.truncate(width - 1, overflow="ellipsis")
    if column in _NUMBERS:
        text.pad_left(width - 1 - text.cell_len)
    return text


def _place_of(one: RunRow, row: SweepRow, *, wide: bool) -> str:
    if one.pieces:
        places, hosts = len(row.places), len({host for host, _ in row.places})
        return f"{places} places" + (f", {hosts} hosts" if wide and hosts > 1 else "") if places > 1 else ""
    if one.host is None:
        return ""
    device = one.device or "?"
    return f"{device} on {one.host}" if wide or len({host for host, _ in row.places}) > 1 else device


def places_text(row: SweepRow, colours: dict[str, str]) -> Text:
    """Each host with its devices, and what these are at."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if not row.places:
        text.append("No run of it was begun yet.", style=colours["neutral"])
        return text
    before = None
    for (host, device), pieces in sorted(row.places.items()):
        if host != before:
            text.append(("" if before is None else "\n") + one_line(host), style="bold")
            text.append(" (this machine)" if host == node() else "", style=colours["neutral"])
        before = host
        text.append(f"\n  {device or 'device not recorded':<8} ")
        at_work = [piece for piece in pieces if piece.running]
        if not at_work:
            done = sum(piece.state == RunState.FINISHED for piece in pieces)
            text.append(f"idle; {done} of {counted(len(pieces), 'run')} done here", colours["neutral"])
        for piece in at_work:
            text.append(f"▶ {one_line(what_tells_apart(piece, row.pieces) or piece.name)}", style=colours["primary"])
            if piece.current is not None:
                share = f" {100 * piece.current.done / piece.current.total:.0f}%" if piece.current.total else ""
                text.append(f": {level_label(piece.current.level)} {one_line(piece.current.task)}{share}")
            elif piece.stage:
                text.append(f": {one_line(piece.stage)}")
            if piece.seconds_left is not None:
                text.append(f" · {left_text(piece)} left")
    if row.waiting:
        who = "will be begun as a place is free" if row.driven else "not begun, and nobody sees to that: r does"
        text.append(f"\n{counted(row.waiting, 'run')} {who}")
    return text
