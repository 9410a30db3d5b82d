"""How far a run has come, and how long the rest will take, told from its history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from warehouse.records.run_state import CurrentCell, RunHistory


@dataclass(frozen=True, slots=True)
class Progress:
    """A summary of a run so far. `total` is None until the run's tasks are built; `seconds_left` until a rate is known.

    Cells are (level, task) pairs; the aggregates of groups are not counted, their parts are.
    """

    done: int
    failed: int
    total: int | None
    current: CurrentCell | None
    seconds_left: float | None


def progress(history: RunHistory) -> Progress:
    settled = Counter(history.settled.values())
    return Progress(
        done=settled["done"],
        failed=settled["failed"],
        total=len(history.levels) * len(history.all_tasks) if history.tasks else None,
        current=history.current,
        seconds_left=_seconds_left(history),
    )


def _seconds_left(history: RunHistory) -> float | None:
    """A task takes as long as it did at other levels; one not seen yet goes at the run's rate of requests."""
    finished = [cell for cell in history.cells.values() if not cell.is_group]
    seconds = sum(cell.seconds or 0.0 for cell in finished)
    requests = sum(history.requests(cell.task) for cell in finished)
    if (current := history.current) is not None:
        seconds += current.seconds
        requests += current.done
    if not requests or seconds <= 0:
        return None
    times, settled = history.seconds_per_cell(), history.settled
    left = 0.0
    for level in history.levels:
        for task in history.tasks:
            if (level, task) in settled:
                continue
            expected = times.get(task, history.requests(task) * seconds / requests)
            if current is not None and (current.level, current.task) == (level, task):
                expected *= 1 - current.done / current.total if current.total else 1
            left += expected
    return left
