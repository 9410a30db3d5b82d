"""What a run is at beside the evaluation of cells, in words: how far it is, and how long it will take."""

from __future__ import annotations

from itertools import accumulate

from tui.format import bar, duration, rate
from warehouse.records.run_state import CurrentStage, RunHistory
from warehouse.text import counted, one_line

_DOING = {
    "import libraries": "importing libraries",
    "read config": "reading the config",
    "load tasks": "reading the tasks",
    "load model": "loading the weights",
    "hash weights": "hashing the weights",
    "set up scoring": "setting up scoring",
    "warm up": "compiling",
    "build requests": "writing the prompts",
    "calibrate": "getting the calibration text",
    "hold text out": "getting text to measure damage on",
    "sort neurons": "sorting neurons",
    "prune": "pruning",
}
# By the stage that ended last, of runs from before it was recorded what is at work.
_NEXT = {
    "": "reading the tasks",
    "import libraries": "reading the config",
    "read config": "reading the tasks",
    "load tasks": "loading the model",
    "load model": "hashing the weights",
    "hash weights": "writing the prompts",
    "set up scoring": "writing the prompts",
    "build requests": "sorting neurons",
    "sort neurons": "starting",
}
_BAR = 12  # characters
_SOON = 2.0  # seconds, before which a rate says little
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def stage_text(history: RunHistory) -> str:
    """What is at work while no cell is, in a few words; empty where a cell is, or was and nothing is said."""
    if history.current is not None:
        return ""
    if history.at_work:
        return ", ".join(_short(stage) for stage in history.at_work.values())
    return "" if history.starting is None else _NEXT.get(history.starting, "starting")


def stage_name(stage: str) -> str:
    """What a worker does in a stage."""
    return _DOING.get(stage, one_line(stage))


def stage_lines(history: RunHistory, now: float | None = None) -> list[str]:
    """A line for each that is at work; `now` is Unix time."""
    return [stage_line(stage, history, now or history.now) for stage in history.at_work.values()]


def _share(stage: CurrentStage) -> float | None:
    return min(stage.done / stage.total, 1.0) if stage.total else None


def _short(stage: CurrentStage) -> str:
    share = _share(stage)
    return stage_name(stage.stage) if not share else f"{stage_name(stage.stage)} {100 * share:.0f}%"


def stage_line(stage: CurrentStage, history: RunHistory, now: float) -> str:
    """One that is at work, with a bar, its rate and its time left where it is known how much there is to do."""
    share = _share(stage)
    if share is None:
        worked = now - stage.began
        return stage_name(stage.stage) if worked < _SOON else f"{stage_name(stage.stage)} · {duration(worked)}"
    parts = [f"{stage_name(stage.stage)} {bar(share, _BAR)} {100 * share:.0f}%"]
    if stage.stage == "build requests":
        parts.append(f"{_tasks_in(stage, history)}/{counted(len(history.found), 'task')}")
    if stage.seconds >= _SOON and stage.per_second is not None:
        parts.append(_rate(stage.per_second, stage.unit))
        # What has come since the last word of it, which is a second old or more.
        left = (stage.seconds_left or 0.0) - max(now - stage.began - stage.seconds, 0.0)
        parts.append(f"{duration(left)} left")
    return " · ".join(parts)


def _tasks_in(stage: CurrentStage, history: RunHistory) -> int:
    """They are built one after another."""
    return sum(done <= stage.done for done in accumulate(task.documents for task in history.found.values()))


def _rate(per_second: float, unit: str) -> str:
    if unit != "bytes":
        return f"{rate(per_second)} {one_line(unit)}/s"
    size, name = next((one for one in _UNITS if per_second >= one[0]), (1.0, "B"))
    return f"{rate(per_second / size)} {name}/s"
