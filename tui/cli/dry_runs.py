"""What a run or a sweep would come to: its pieces, their size, time and memory, and what earlier runs have of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from engine import gpu
from engine.errors import UserError
from engine.planning import preview, task_index
from engine.planning.forecast import Forecast, forecast
from engine.planning.memory_forecast import MemoryForecast, memory_forecast
from engine.planning.plan import RunPlan
from engine.planning.preview import ModelName, Shape, UnseenError
from engine.planning.task_index import TaskEntry, UnlistedError
from engine.runs.past import Past
from engine.sweeps.measured import Measured, measured
from engine.sweeps.preparing import Prepared
from tui.cli.output import duration, print_json
from tui.cli.wanted import Wanted
from tui.format import joules
from warehouse.commands import hint
from warehouse.numbers import format_bytes
from warehouse.records.names import pruned_with
from warehouse.text import counted, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`memory` may be why it is not known. `measured` is what earlier runs have of it, which is measured again.
    `elsewhere` are levels that another piece measures for this one.
    """

    plan: RunPlan
    forecast: Forecast
    memory: MemoryForecast | str
    measured: Sequence[Measured]
    elsewhere: dict[str, int]


def show(wanted: Wanted, db: Path, *, as_json: bool) -> None:
    """Nothing is written, but for what is kept of lm-eval's tasks.

    Raises:
        UserError: the plans cannot be carried out as they stand.
    """
    wanted.check()
    pieces = _pieces(wanted, db)
    places = wanted.places
    seconds = _seconds([piece.forecast.seconds for piece in pieces], max(1, places.count))
    if as_json:
        print_json(
            {
                "pieces": [_plain(piece) for piece in pieces],
                "not_again": _plain_not_again(wanted.prepared),
                "gpus": [str(card) for card in places.cards],
                "on": places.where.on,
                "places": max(1, places.count),
                "seconds": seconds,
            }
        )
        return
    for number, piece in enumerate(pieces, 1):
        for line in _lines(number, piece, db):
            typer.echo("   " * line.startswith(" ") + one_line(line))
    for line in not_again(wanted):
        typer.echo(line)
    if not pieces:
        return
    cells = sum(piece.forecast.cells for piece in pieces)
    time = "not known" if seconds is None else f"about {duration(seconds)}"
    on = f" on {places}" if places.count else ""
    typer.echo(f"{counted(len(pieces), 'run')}, {counted(cells, 'evaluation')}; time{on}: {time}. Nothing was created.")


def not_again(wanted: Wanted) -> list[str]:
    """What of a sweep is not measured again, a line for each of its runs and each earlier run that has some of it."""
    prepared, lines = wanted.prepared, list[str]()
    if not prepared.skips:
        return lines
    for plan, runs in zip(prepared.asked, prepared.measured, strict=True):
        for one in runs:
            at = "" if one.revision is None else f", at commit {one.revision[:12]}"
            cells = counted(len(one.cells), "evaluation")
            levels = ", ".join(dict.fromkeys(level for level, _ in one.cells))
            of = f"{plan.model}, {pruned_with(plan.method, plan.repair)} (levels {levels})"
            lines.append(one_line(f"Measured already, and not again: {cells} of {of}, by run {one.run_id}{at}."))
    if lines and not prepared.plans:
        lines.append("Nothing is left to measure; --again measures all of it once more.")
    return lines


def _plain_not_again(prepared: Prepared) -> list[dict[str, Any]]:
    if not prepared.skips:
        return []
    return [
        {"model": plan.model, "method": plan.method, "repair": plan.repair, "run_id": one.run_id, "cells": one.cells}
        for plan, runs in zip(prepared.asked, prepared.measured, strict=True)
        for one in runs
    ]


def _pieces(wanted: Wanted, db: Path) -> list[Piece]:
    plans = wanted.plans
    again = [()] * len(plans) if wanted.prepared.skips else measured(plans, db)
    past, readings = Past.of(db), gpu.machine()
    shapes = _shapes(plans)
    found: list[Piece] = []
    indexes: dict[tuple[str, ...], dict[str, TaskEntry]] = {}
    for plan, earlier in zip(plans, again, strict=True):
        if plan.include_paths not in indexes:
            indexes[plan.include_paths] = _index(plan)
        index, shape = indexes[plan.include_paths], shapes[_name(plan)]
        known = None if isinstance(shape, str) else shape
        seen = forecast(plan, known, index, past.timings, past.startups, past.lookings, past.draws)
        memory = (
            shape if isinstance(shape, str) else memory_forecast(plan, shape, readings, generates=bool(seen.generating))
        )
        other = next((n for n, one in enumerate(plans, 1) if one.model == plan.model and _has_unpruned(one)), None)
        elsewhere = {} if _has_unpruned(plan) or other is None else {"0": other}
        found.append(Piece(plan=plan, forecast=seen, memory=memory, measured=earlier, elsewhere=elsewhere))
    return found


def _has_unpruned(plan: RunPlan) -> bool:
    return "0" in map(str, plan.levels)


def _shapes(plans: Sequence[RunPlan]) -> dict[ModelName, Shape | str]:
    """Of each model; or why it is not known.

    Raises:
        UserError: one of them cannot be pruned.
    """
    names = list(dict.fromkeys(map(_name, plans)))
    shapes: dict[ModelName, Shape | str] = {}
    for name, shape in zip(names, preview.inspect_each(names), strict=True):
        if isinstance(shape, UserError) and not isinstance(shape, UnseenError):
            raise UserError(f"{name.model}: {shape}") from shape
        if isinstance(shape, Shape):
            shapes[name] = shape
        else:
            shapes[name] = "not known before the model is here" if shape is None else str(shape)
    return shapes


def _name(plan: RunPlan) -> ModelName:
    return ModelName(plan.model, plan.revision, plan.trust_remote_code)


def _index(plan: RunPlan) -> dict[str, TaskEntry]:
    try:
        return {entry.name: entry for entry in task_index.load(plan.include_paths)}
    except UnlistedError as error:
        typer.echo(f"{one_line(str(error))} Groups count as one task.", err=True)
        return {}


def _seconds(each: Sequence[float | None], places: int) -> float | None:
    """Until the last piece is done, when each place takes the next as it is free; None if one of them is not known."""
    free = [0.0] * places
    for seconds in each:
        if seconds is None:
            return None
        free[free.index(min(free))] += seconds
    return max(free)


def _lines(number: int, piece: Piece, db: Path) -> list[str]:
    plan, seen = piece.plan, piece.forecast
    at = "" if plan.revision is None else f" at {plan.revision}"
    levels, tasks = ", ".join(map(str, plan.levels)), ", ".join(map(str, plan.tasks))
    more = "" if seen.all_known else " or more"
    lines = [
        f"{number}. {plan.model}{at}, {pruned_with(plan.method, plan.repair)}: levels {levels}; "
        f"{plan.suite or tasks}; {counted(seen.cells, 'evaluation')}{more}"
    ]
    if seen.parameters:
        lines.append(f"   parameters: {', '.join(f'{level}: {size:,}' for level, _, size in seen.widths)}")
    if seen.problem:
        lines.append(f"   ! {seen.problem}")
    memory = piece.memory
    if plan.cards > 1:
        lines.append(f"   GPUs: {plan.cards}, its layers spread over them; graphs are off")
    lines.append(
        f"   memory: {memory if isinstance(memory, str) else f'about {format_bytes(memory.needed)} on {memory.place}'}"
    )
    if not isinstance(memory, str) and memory.advice:
        lines.append(f"   ! {memory.advice}")
    if seen.seconds is None:
        lines.append("   time: not known, for no earlier run of this model had these tasks")
    else:
        lines.append(
            f"   time: {'about' if seen.timed == 1 else 'roughly'} {duration(seen.seconds)}, as earlier runs took"
        )
    if seen.joules is not None:
        lines.append(f"   energy: roughly {joules(seen.joules)} as drawn, by what earlier runs on this machine drew")
    for level, other in piece.elsewhere.items():
        lines.append(f"   level {level} is measured by run {other} of these, and not again")
    for earlier in piece.measured:
        again = hint("resume", earlier.run_id, db=db)
        lines.append(
            f"   {len(earlier.cells)} of these are measured already, by run {earlier.run_id}: a new run measures them "
            f"again, `{again}` does not"
        )
    return lines


def _plain(piece: Piece) -> dict[str, Any]:
    plan, seen, memory = piece.plan, piece.forecast, piece.memory
    return {
        "name": plan.name,
        "model": plan.model,
        "revision": plan.revision,
        "cards": plan.cards,
        "method": plan.method,
        "repair": plan.repair,
        "levels": [str(level) for level in plan.levels],
        "suite": plan.suite,
        "tasks": [str(task) for task in plan.tasks],
        "cells": seen.cells,
        "all_known": seen.all_known,
        "widths": [{"level": level, "width": width, "parameters": size} for level, width, size in seen.widths],
        "problem": seen.problem,
        "memory": {"unknown": memory} if isinstance(memory, str) else asdict(memory) | {"needed": memory.needed},
        "seconds": seen.seconds,
        "joules": seen.joules,
        "measured_by_piece": piece.elsewhere,
        "measured_already": [{"run_id": one.run_id, "cells": one.cells} for one in piece.measured],
    }
