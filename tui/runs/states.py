"""A run's state as it is shown: a glyph, a word, and a colour that adds nothing to them."""

from __future__ import annotations

from rich.text import Text

from tui.format import done_of, duration, levels_text
from tui.runs.record import RunRow
from warehouse.records.level import level_label
from warehouse.records.run_state import RunState
from warehouse.text import counted, one_line

_LOOKS: dict[str, tuple[str, str]] = {
    RunState.QUEUED: ("○", "neutral"),
    RunState.RUNNING: ("▶", "primary"),
    RunState.INTERRUPTED: ("!", "loss"),
    RunState.STOPPED: ("■", "warning"),
    RunState.FINISHED: ("✓", "neutral"),
    RunState.FINISHED_WITH_FAILURES: ("✗", "loss"),
    RunState.REFUSED: ("✗", "loss"),
    RunState.CRASHED: ("✗", "loss"),
}


def state_text(row: RunRow, colours: dict[str, str]) -> Text:
    """`✓ finished`, `✗ 3 failed`, `! interrupted`."""
    glyph, variable = _LOOKS.get(row.state, ("✗", "loss"))
    return Text(f"{'↓' if row.origin != 'run' else glyph} {state_word(row)}", style=colours[variable])


def about(row: RunRow) -> str:
    """`meta-llama/Llama-3.2-1B · MAW · 0–60 ×7`: the model, how it is pruned, and how far."""
    return " · ".join(filter(None, (one_line(row.model), one_line(row.pruned_with).upper(), levels_text(row.levels))))


def state_word(row: RunRow) -> str:
    if row.state == RunState.FINISHED_WITH_FAILURES:
        return f"{row.failed} failed"
    return row.state if row.origin == "run" else "imported"


def can_resume(row: RunRow) -> bool:
    return row.folder is not None and row.state not in (RunState.RUNNING, RunState.FINISHED, "damaged")


def advice(row: RunRow, *, opened: bool = False) -> str:
    """How the run stands, in a sentence, and what can be done about it; `opened` where its grid is on the screen."""
    cells = done_of(row.done, row.total) if row.total else "no evaluation is done yet"
    match row.state:
        case RunState.RUNNING:
            if row.current is not None:
                return f"Working on level {level_label(row.current.level)} of {row.current.task}; {cells}. x stops it."
            stage = row.stage or ("between two evaluations" if row.done else "starting")
            return f"Working: {stage}; {cells}. x stops it."
        case RunState.QUEUED:
            return "It has not been started. r starts it."
        case RunState.INTERRUPTED if row.note:
            return f"{row.note.rstrip('.')}; {cells}. r starts it again."
        case RunState.INTERRUPTED:
            return f"Its process died without a word (killed, or the machine went down); {cells}. r takes it up again."
        case RunState.STOPPED:
            return f"It was stopped; {cells}. r takes it up again."
        case RunState.FINISHED_WITH_FAILURES:
            why = "go to a ✗ to read why" if opened else "enter shows why"
            return f"{row.failed} of {counted(row.total or 0, 'evaluation')} failed: {why}. r tries them again."
        case RunState.REFUSED:
            without = ", or starts without it" if "cannot be reached" in row.note else ""
            return f"{row.note} {cells.capitalize()}; r tries again{without}."
        case RunState.CRASHED:
            return f"The worker met a defect ({row.note}); {cells}. r takes it up again."
        case "damaged":
            return row.note
        case _ if row.origin != "run":
            return "Brought in from elsewhere: enter shows its results."
        case _:
            leads = "2 shows the results" if opened else "enter shows the grid, 2 the results"
            return f"Finished: {cells}; {leads}, R plays it back."


def left_text(row: RunRow) -> str:
    return duration(row.seconds_left) if row.seconds_left is not None else ""
