"""How far a run has come, and how long the rest will take, told from its history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from warehouse.records.run_state import CurrentCell, RunHistory


@dataclass(frozen=True, slots=True)
class Progress:
    """A summary of a run so far. `total` is None until the run's tasks are found; `seconds_left` until a rate is known.

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
        total=len(history.levels) * len(history.all_tasks) if history.found or history.tasks else None,
        current=history.current,
        seconds_left=_seconds_left(history),
    )


def _seconds_left(history: RunHistory) -> float | None:
    """A task takes as long as it did at other levels; one not seen yet goes at the run's rate of requests.

    What is at work beside the cells is counted where they wait for it, or where it takes longer than all of them.
    """
    finished = [cell for cell in history.cells.values() if not cell.is_group]
    seconds = sum(cell.seconds or 0.0 for cell in finished)
    requests = sum(history.requests(cell.task) for cell in finished)
    if (current := history.current) is not None:
        seconds += current.seconds
        requests += current.done
    if not requests or seconds <= 0:
        return None
    times, settled, expected_requests = history.seconds_per_cell(), history.settled, _requests(history)
    left = 0.0
    for level in history.levels:
        for task, count in expected_requests.items():
            if (level, task) in settled:
                continue
            expected = times.get(task, count * seconds / requests)
            if current is not None and (current.level, current.task) == (level, task):
                expected *= 1 - current.done / current.total if current.total else 1
            left += expected
    beside = max((stage.seconds_left or 0.0 for stage in history.at_work.values()), default=0.0)
    return left + beside if current is None else max(left, beside)


def _requests(history: RunHistory) -> dict[str, float]:
    """Of each task; where they are not written yet, as many a document as the others have."""
    documents = sum(task.n_docs or 0 for task in history.tasks.values())
    each = sum(task.n_requests or 0 for task in history.tasks.values()) / documents if documents else 1.0
    found = {name: task.documents * each for name, task in history.found.items()}
    return found | {name: float(history.requests(name)) for name in history.tasks}
