"""What a planned run will amount to: its cells, widths, memory and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import UserError
from engine.planning.calibration_forecast import CalibrationForecast, calibration_forecast
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.task_index import TaskEntry
from warehouse.stats.metrics.damage import TASK as DAMAGE


@dataclass(frozen=True, slots=True)
class Draws:
    """Of runs on this machine: the watts that its devices drew on average, and the seconds that a profile took for each
    level, both by model.
    """

    watts: Mapping[str, float] = field(default_factory=dict[str, float])
    profiling: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Forecast:
    """`tasks` counts single tasks, those of groups and the measuring of damage included; `generating` are those whose
    answers are written.

    `seconds` is None where no earlier run tells it; `timed` is the share of the tasks that it rests on, and `startup`
    the part of it before the first cell, None where that is not known and not counted. `widths` are (level, neurons a
    layer, parameters). `calibration` is what looking at neurons adds, None where none are looked at or the model is not
    known. `profiling` is the part of `seconds` for what levels cost, at most `profiling_bound`, both None where that is
    not measured; where no earlier profile tells, the bound is taken. `watts` is what earlier runs drew.
    """

    levels: int
    tasks: int
    generating: tuple[str, ...]
    all_known: bool
    widths: tuple[tuple[str, int, int], ...]
    parameters: int | None
    seconds: float | None
    startup: float | None
    timed: float
    problem: str | None
    calibration: CalibrationForecast | None = None
    profiling: float | None = None
    profiling_bound: float | None = None
    watts: float | None = None

    @property
    def joules(self) -> float | None:
        """As drawn, idle power included."""
        return None if self.seconds is None or self.watts is None else self.seconds * self.watts

    @property
    def cells(self) -> int:
        return self.levels * self.tasks


def forecast(
    plan: RunPlan,
    shape: Shape | None,
    index: Mapping[str, TaskEntry],
    timings: Mapping[tuple[str, str, float | None], float],
    startups: Mapping[str, float],
    lookings: Mapping[tuple[str, tuple[str, ...]], float],
    draws: Draws | None = None,
) -> Forecast:
    """What earlier runs took, in seconds: `timings` of a cell by (model, task, limit), `startups` by model without
    looking at neurons, and that, `lookings`, by (model, what a plan's `looks` is); `draws` are of profiles and power.
    """
    draws = draws or Draws()
    leaves: list[str] = []
    all_known = True
    for spec in plan.tasks:
        found, known = single_tasks(spec.name, index)
        leaves += found
        all_known &= known
    if plan.damage:
        leaves.append(DAMAGE)
    times = [timings.get((plan.model, leaf, plan.limit)) for leaf in leaves]
    told = [time for time in times if time is not None]
    startup = startups.get(plan.model) if told else None
    seconds = sum(told) / len(told) * len(leaves) * len(plan.levels) + (startup or 0.0) if told else None
    widths, problem, calibration = [], None, None
    if shape is not None:
        try:
            kept = {str(level): shape.width(level, plan.divisor) for level in plan.levels}
            widths = [(level, width, shape.parameters_at(width)) for level, width in kept.items()]
        except UserError as error:
            problem = str(error)
        else:
            problem = _twice(widths)
        try:
            calibration = calibration_forecast(plan, shape)
        except UserError as error:
            problem = problem or str(error)
    looking = lookings.get((plan.model, plan.looks))
    if looking is not None and calibration is not None:
        calibration = replace(calibration, seconds=looking)
    if seconds is not None:
        seconds += looking or (calibration.seconds if calibration is not None else 0.0)
    profiling, bound = _profiling(plan, shape, draws)
    if profiling is not None and (seconds is not None or not leaves):
        seconds = (seconds or 0.0) + profiling
    return Forecast(
        levels=len(plan.levels),
        tasks=len(leaves),
        generating=tuple(leaf for leaf in leaves if leaf in index and index[leaf].generates),
        all_known=all_known,
        widths=tuple(widths),
        parameters=shape.parameters if shape else None,
        seconds=seconds,
        startup=startup,
        timed=len(told) / len(leaves) if leaves else 0.0,
        problem=problem,
        calibration=calibration,
        profiling=profiling,
        profiling_bound=bound,
        watts=draws.watts.get(plan.model),
    )


def _profiling(plan: RunPlan, shape: Shape | None, draws: Draws) -> tuple[float | None, float | None]:
    """Seconds of a profile, and its bound; None of each where it is not asked for, or the device is not known."""
    if plan.profile is None or (shape is None and plan.profile.seconds is None and plan.device == "auto"):
        return None, None
    device = plan.device if plan.device != "auto" or shape is None else shape.device
    bound = plan.profile.total_seconds(on_gpu=device.startswith("cuda"))
    earlier = draws.profiling.get(plan.model)
    return (bound if earlier is None else min(bound, earlier * len(plan.levels))), bound


def single_tasks(name: str, index: Mapping[str, TaskEntry]) -> tuple[list[str], bool]:
    """The single tasks under a name, and whether all of them are known."""
    entry = index.get(name)
    if entry is None or entry.kind == "tag":
        return [name], False
    if not entry.parts:
        return [name], True
    found = [single_tasks(part, index) for part in entry.parts]
    return [leaf for leaves, _ in found for leaf in leaves], all(known for _, known in found)


def _twice(widths: Sequence[tuple[str, int, int]]) -> str | None:
    by_width: dict[int, list[str]] = {}
    for level, width, _ in widths:
        by_width.setdefault(width, []).append(level)
    for width, levels in by_width.items():
        if len(levels) > 1:
            return f"Levels {' and '.join(levels)} both mean {width} neurons a layer: keep one of them."
    return None
