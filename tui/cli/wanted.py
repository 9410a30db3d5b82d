"""What `run` is asked for: by options, by a sweep file, or as an earlier run; options stand above the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import typer

from engine import settings
from engine.errors import UserError
from engine.planning import task_index
from engine.planning.asked import Asked, plans_of
from engine.planning.plan import RunPlan
from engine.planning.sweep_file import SweepFile, is_sweep_file, read_sweep_file
from engine.planning.task_index import UnlistedError
from engine.planning.where import Where
from engine.runs.rundir import RunDir
from engine.sweeps.places import Places, places_of
from engine.sweeps.preparing import Prepared, prepare
from tui.cli import session

_PARAMETERS = {"suite_name": "suite", "compile_layers": "compile"}  # of `run`, that have other names in `Asked`
_TYPED = "COMMANDLINE"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`prepared` has the plans, for these places."""

    prepared: Prepared
    places: Places
    file: SweepFile | None

    @property
    def plans(self) -> Sequence[RunPlan]:
        return self.prepared.plans

    def check(self, *, quiet: bool = False) -> None:
        """As `session.check_plans`; of a file, which model's tasks are wrong."""
        for number, one in enumerate(self.file.asked if self.file is not None else (), 1):
            assert self.file is not None
            plan = one.plan(self.file.base)
            try:
                with self.file.said_of(number, "suite" if one.suite else "tasks"):
                    task_index.check(plan.tasks, plan.include_paths, trusted=plan.trust_task_code)
            except UnlistedError:
                break  # which is said below
        session.check_plans(self.plans, quiet=quiet)


def read_wanted(context: typer.Context, db: Path) -> Wanted:
    """From all that `run` was given. A cluster is joined.

    Raises:
        UserError: an option, or the file, is wrong; or no cluster answers.
    """
    given = _given(context)
    typed = {name: value for name, value in given.items() if _is_typed(context, name)}
    models: list[str] = context.params["models"] or []
    like: str | None = context.params["like"]
    where = Where(**{field.name: context.params[field.name] for field in fields(Where)})
    files = [model for model in models if is_sweep_file(model)]
    file = None
    if files:
        if len(models) > 1 or like is not None:
            raise UserError(f"{files[0]} says which models: give it alone, without --like.")
        place = {field.name: getattr(where, field.name) for field in fields(Where) if _is_typed(context, field.name)}
        file = read_sweep_file(Path(files[0]), typed | place)
        plans, where = file.plans(), file.where
    elif like is not None:
        plans = _again(_runs_like(db, like), models, typed)
    elif models:
        if given["suite"] is None and given["tasks"] is None and not given["profile"]:
            given["suite"] = settings.suite()
        plans = plans_of([Asked(**given, model=model) for model in models], Path.cwd(), name=given["name"])
    else:
        raise UserError("No model was given: name one on the hub, a folder, demo, a sweep file, or a run with --like.")
    for plan in plans if where.gpus is not None else ():
        if plan.device not in ("auto", "cuda"):
            raise UserError(f"gpus chooses the devices, and device says {plan.device}: leave one of them out.")
    places = places_of(where, plans)
    skips = (len(plans) > 1 or file is not None) and not context.params["again"]
    return Wanted(prepare(plans, db, places=places.count, skips=skips), places, file)


def _runs_like(db: Path, text: str) -> list[RunDir]:
    """Those that a person names; `latest` is the latest that is no certification, which is `certify`'s to repeat."""
    return [session.like(db, text, _no_certification)] if text == "latest" else session.find_all(db, text)


def _no_certification(run: RunDir) -> RunDir:
    if (like := run.plan.certifies) is not None:
        raise UserError(f"Run {run.run_id} scored an exported file like run {like}: name that one, or another.")
    return run


def _given(context: typer.Context) -> dict[str, Any]:
    """The options by their field of `Asked`."""
    named = {_PARAMETERS.get(name, name): value for name, value in context.params.items()}
    given = {field.name: named[field.name] for field in fields(Asked) if field.name != "model"}
    return given | {"include_path": tuple(path.absolute() for path in given["include_path"] or ())}


def _is_typed(context: typer.Context, field: str) -> bool:
    parameter = next((name for name, other in _PARAMETERS.items() if other == field), field)
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == _TYPED


def _again(runs: Sequence[RunDir], models: Sequence[str], typed: dict[str, Any]) -> list[RunPlan]:
    """The plans of runs, with what is given beside them."""
    plans = [run.plan for run in runs]
    gone = {other: None for own, other in (("suite", "tasks"), ("tasks", "suite")) if own in typed}
    asked = [
        replace(Asked.like(plan), **{**gone, **typed, **({"model": model, "name": typed.get("name")} if model else {})})
        for model in models or [None]
        for plan in plans
    ]
    named = next((plan.sweep_name for plan in plans if plan.sweep_name), None)
    again = plans_of(asked, Path.cwd(), name=typed.get("name") or named)
    profiles = {plan.profile for plan in plans}
    if "profile" in typed or len(profiles) > 1:
        return again
    return [replace(plan, profile=profiles.copy().pop()) for plan in again]
