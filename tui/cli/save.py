"""`save`: write one level of a model as a checkpoint. The work is done by a process that may load torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.errors import UserError
from engine.planning import model_stack
from engine.planning.choices import chosen_calibration
from engine.planning.methods import DEFAULT_METHOD
from engine.planning.plan import GGUF_TYPES, RunPlan
from engine.runs import launch
from engine.runs.create import check_database
from engine.runs.rundir import RunDir
from tui.cli import session
from tui.cli.options import (
    DEFAULT_DATABASE,
    CalibrationLength,
    CalibrationText,
    CalibrationTokens,
    Database,
    Debug,
    Divisor,
    Dtype,
    Json,
    Method,
    Repair,
    Revision,
    TrustRemoteCode,
)
from tui.cli.output import print_json
from warehouse.numbers import format_bytes
from warehouse.processes import module_command
from warehouse.records.level import Level

if TYPE_CHECKING:
    Gguf = str
else:
    Gguf = Literal[GGUF_TYPES]


def save(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model on the hub, a folder, or `demo`.")],
    level: Annotated[str, typer.Option(metavar="LEVEL", help="A percentage (40), a ratio (2.4x) or a width (w4096).")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the checkpoint; it must be new or empty.")],
    method: Method = None,
    repair: Repair = None,
    like: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="As this run pruned it: with its method, repair, seed and divisor, and on its calibration text; "
            "`latest` is the latest that fits.",
        ),
    ] = None,
    calibration: CalibrationText = None,
    calibration_tokens: CalibrationTokens = None,
    calibration_length: CalibrationLength = None,
    divisor: Divisor = None,
    dtype: Dtype = "auto",
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="For the random method, and for text that the model writes.", show_default="0"),
    ] = None,
    revision: Revision = None,
    trust_remote_code: TrustRemoteCode = False,
    pad_to: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Fill the width up with zero neurons to a multiple of N: faster, and the same function."
        ),
    ] = None,
    gguf: Annotated[
        Gguf | None,
        typer.Option(help="Write a GGUF file beside the checkpoint, for llama.cpp; q8_0 pads to 32 by itself."),
    ] = None,
    push_to: Annotated[
        str | None, typer.Option(metavar="USER/REPO", help="Push the folder to the hub; a new repository is private.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Save, and list what --push-to would upload; upload nothing.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what the folder holds.")] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Write a pruned model as a safetensors checkpoint that transformers loads, with a model card."""
    check_database(db)
    model_stack.require()
    request: dict[str, Any] = {
        "model": model,
        "level": str(Level.parse(level)),
        "to": str(to.resolve()),
        "dtype": dtype,
        "trust_remote_code": trust_remote_code,
        "overwrite": overwrite,
        "database": str(db.resolve()),
    }
    if dry_run and push_to is None:
        raise UserError("--dry-run lists what would be pushed: say where with --push-to USER/REPO.")
    more = {"pad_to": pad_to, "gguf": gguf, "push_to": push_to, "dry_run": dry_run or None}
    request |= {name: value for name, value in more.items() if value is not None}
    told = {"method": method, "repair": repair, "divisor": divisor, "seed": seed, "revision": revision}
    text = {
        "calibration": chosen_calibration(calibration),
        "calibration_tokens": calibration_tokens,
        "calibration_length": calibration_length,
    }
    request |= (
        _by_itself(told, text) if like is None else session.like(db, like, lambda run: _as(run, model, told | text))
    )
    worker = subprocess.run(
        module_command("engine.worker.save", json.dumps(request)),
        stdout=subprocess.PIPE,
        text=True,
        env={
            "TRANSFORMERS_VERBOSITY": "error",
            "TOKENIZERS_PARALLELISM": "false",
            "TQDM_DISABLE": "" if sys.stderr.isatty() else "1",
        }
        | os.environ,
    )
    if worker.returncode == launch.STOPPED:
        raise KeyboardInterrupt
    if not worker.stdout:
        typer.echo(f"prune-tui: the process that saves ended with exit code {worker.returncode}.", err=True)
        raise typer.Exit(1)
    answer = json.loads(worker.stdout.splitlines()[-1])
    if "error" in answer:
        raise UserError(answer["error"])
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Saved {model} at level {level} in {to}.")
        _tell_stored(answer, pad_to, gguf)
        _tell_pushed(answer, push_to)


def _tell_stored(saved: dict[str, Any], pad_to: int | None, gguf: str | None) -> None:
    """How wide the files are, where that is not the exact width; and where the GGUF file is."""
    exact, stored = saved["intermediate_size"], saved["stored_size"]
    if stored > exact:
        why = f" ({gguf} needs whole blocks of 32)" if pad_to is None else ""
        typer.echo(
            f"{exact} neurons a layer, stored as {stored} with {stored - exact} of zeros{why}: the same function."
        )
    if saved["gguf"] is not None:
        typer.echo(f"GGUF ({gguf}): {saved['gguf']}")


def _tell_pushed(saved: dict[str, Any], repo: str | None) -> None:
    if repo is None:
        return
    for one in saved["uploads"]:
        typer.echo(f"  {one['path']}  {format_bytes(one['bytes'])}")
    typer.echo(f"Pushed: {saved['pushed']}" if saved["pushed"] else f"This would be pushed to {repo}; nothing was.")


def _by_itself(told: dict[str, Any], text: dict[str, Any]) -> dict[str, Any]:
    """What the plan of a run would say, with what is usual where nothing was told: it is checked in the same way."""
    way = {"method": told["method"] or DEFAULT_METHOD, "repair": told["repair"] or "none"}
    plan = RunPlan(name="", model="", levels=(), tasks=(), **way, **text).resolved(Path.cwd())
    if not plan.is_calibrated and any(value is not None for value in text.values()):
        raise UserError(
            f"{plan.method} without repair looks at no calibration text: leave --calibration out, or choose another "
            "method or a repair."
        )
    request = told | way | {"seed": told["seed"] or 0}
    return _only_needed(request | {name: getattr(plan, name) for name in text})


def _as(run: RunDir, model: str, told: dict[str, Any]) -> dict[str, Any]:
    """What the run's plan says, and where its calibration text is.

    Raises:
        UserError: something else was told than the run has, or the run is of another model.
    """
    plan = run.plan
    run_has: dict[str, Any] = {name: getattr(plan, name) for name in told if name != "seed"} | {"seed": plan.seeds[0]}
    for name, value in told.items():
        if value is not None and value != run_has[name]:
            option, its = f"--{name.replace('_', '-')}", "none" if run_has[name] is None else run_has[name]
            raise UserError(
                f"{option} {value} is not what run {run.run_id} has ({its}): leave {option} out, or --like."
            )
    if plan.model != (str(Path(model).resolve()) if Path(model).is_dir() else model):
        raise UserError(f"Run {run.run_id} is of {plan.model}, not of {model}: name a run of the same model.")
    if plan.is_calibrated and run.history()[0].calibration is None:
        raise UserError(f"Run {run.run_id} has not looked at its calibration text yet: name a run that has.")
    request = {"method": plan.method, "repair": plan.repair, "divisor": plan.divisor, "seed": plan.seeds[0]}
    like = str(run.path.resolve()) if plan.is_calibrated else None
    return _only_needed(request | {"revision": plan.revision, "like": like})


def _only_needed(request: dict[str, Any]) -> dict[str, Any]:
    """What is as ever is left out."""
    usual = {
        "repair": "none",
        "like": None,
        "calibration": None,
        "calibration_tokens": None,
        "calibration_length": None,
    }
    return {name: value for name, value in request.items() if name not in usual or value != usual[name]}
