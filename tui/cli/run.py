"""Commands that measure: start a run, take one up again, stop one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from engine import settings
from engine.errors import UserError
from engine.planning.choices import (
    OPTIONS,
    chosen_calibration,
    chosen_levels,
    chosen_methods,
    chosen_repairs,
    chosen_tasks,
    run_name,
    task_folders,
)
from engine.planning.plan import RunPlan
from engine.planning.suites import DEMO_MODEL, SUITES, suite
from engine.planning.sweep import spread
from engine.runs import stopping
from engine.runs.create import check_database, create_all
from tui.cli import session
from tui.cli.completion import RunArgument, complete_tasks
from tui.cli.options import (
    DEFAULT_DATABASE,
    CalibrationLength,
    CalibrationText,
    CalibrationTokens,
    Database,
    Debug,
    Detach,
    Divisor,
    Dtype,
    Json,
    Methods,
    Plain,
    Quiet,
    Repairs,
    Revision,
    TrustRemoteCode,
    TrustTaskCode,
)
from warehouse.commands import hint
from warehouse.records.conditions import DEFAULT_SEEDS, parse_seeds, seeds_text
from warehouse.records.run_state import RunState

_BEFORE_KILLING = 5.0  # seconds
_LEVELS = "0,10,20,30,40,50,60"


def demo(
    levels: Annotated[str, typer.Option(metavar="LIST", help="Percentages of neurons to remove.")] = _LEVELS,
    method: Methods = "maw",
    repair: Repairs = "none",
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Prune and evaluate the small model that ships with prune-tui: the whole path, without GPU or network."""
    plan = RunPlan(
        name="demo",
        model=DEMO_MODEL,
        levels=chosen_levels(levels, OPTIONS),
        tasks=suite("demo"),
        suite="demo",
    )
    plans = spread([plan], chosen_methods(method, OPTIONS), chosen_repairs(repair, OPTIONS))
    check_database(db)
    raise typer.Exit(session.work(create_all(plans, db), db, plain=plain, quiet=quiet, as_json=as_json))


def run(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL…", help="Models on the hub, folders, or `demo`; a run for each, or more."),
    ],
    levels: Annotated[
        str,
        typer.Option(metavar="LIST", help="Percentages to remove (40), expansion ratios (2.4x) or widths (w4096)."),
    ] = _LEVELS,
    method: Methods = "maw",
    repair: Repairs = "none",
    calibration: CalibrationText = None,
    calibration_tokens: CalibrationTokens = None,
    calibration_length: CalibrationLength = None,
    damage: Annotated[
        bool,
        typer.Option(
            "--damage",
            help="Measure each level's distance to the unpruned model on held-out text, too: KL divergence and top-1 "
            "agreement.",
        ),
    ] = False,
    suite_name: Annotated[
        str | None, typer.Option("--suite", metavar="NAME", help=f"A named list of tasks: {', '.join(SUITES)}.")
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="lm-eval tasks or groups; `gsm8k@5` is gsm8k with five shots.",
            autocompletion=complete_tasks,
        ),
    ] = None,
    limit: Annotated[
        float | None, typer.Option(metavar="N", help="Documents of each task; below 1, a share of them.")
    ] = None,
    include_path: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Folder with your own lm-eval task files.")
    ] = None,
    dtype: Dtype = "auto",
    device: Annotated[
        str,
        typer.Option(metavar="NAME", envvar="PRUNE_TUI_DEVICE", help="cpu, cuda, cuda:1, mps; auto takes the best."),
    ] = "auto",
    seed: Annotated[
        str,
        typer.Option(
            metavar="N", help="As lm-eval's: one number for all, or four for random, numpy, torch, few-shot examples."
        ),
    ] = seeds_text(DEFAULT_SEEDS),
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="A name to find the run by.")] = None,
    revision: Revision = None,
    divisor: Divisor = None,
    batch_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Most tokens in a forward pass; unset, it follows the memory.")
    ] = None,
    compile_layers: Annotated[
        bool,
        typer.Option("--compile", help="Compile the layers first: pays on a GPU, when a sweep takes minutes."),
    ] = False,
    trust_remote_code: TrustRemoteCode = False,
    trust_task_code: TrustTaskCode = False,
    skip_broken_tasks: Annotated[
        bool,
        typer.Option(
            "--skip-broken-tasks",
            help="Go on with the others where a task cannot be built; it counts as "
            "failed, and `resume` tries it again.",
        ),
    ] = False,
    apply_chat_template: Annotated[
        bool, typer.Option("--apply-chat-template", help="Put every prompt into the model's chat template.")
    ] = False,
    system_instruction: Annotated[
        str | None, typer.Option(metavar="TEXT", help="System message for every prompt.")
    ] = None,
    fewshot_as_multiturn: Annotated[
        bool, typer.Option("--fewshot-as-multiturn", help="Few-shot examples as turns of a chat.")
    ] = False,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Tokenise every prompt anew, and keep no tokens for later runs."),
    ] = False,
    detach: Detach = False,
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Prune models at several levels, evaluate each, and show what changed.

    Several models, methods or repairs make a run for each of them; a model's first run measures it unpruned, and the
    others are compared with that.
    """
    methods, repairs = chosen_methods(method, OPTIONS), chosen_repairs(repair, OPTIONS)
    if detach and len(models) * len(methods) * len(repairs) > 1:
        raise UserError(
            "--detach starts one run and returns: give one model, method and repair, and start the next when it has "
            "ended."
        )
    if suite_name is None and tasks is None:
        suite_name = settings.suite()
    specs = chosen_tasks(suite_name, tasks, OPTIONS)
    plans = [
        RunPlan(
            name=name or run_name(model),
            model=model,
            levels=chosen_levels(levels, OPTIONS),
            tasks=specs,
            calibration=chosen_calibration(calibration),
            calibration_tokens=calibration_tokens,
            calibration_length=calibration_length,
            damage=damage,
            suite=suite_name,
            revision=revision,
            divisor=divisor,
            limit=limit,
            include_paths=tuple(str(path) for path in task_folders(include_path or [], OPTIONS)),
            dtype=dtype,
            device=device,
            batch_tokens=batch_tokens,
            compile_layers=compile_layers,
            seeds=parse_seeds(seed),
            trust_remote_code=trust_remote_code,
            trust_task_code=trust_task_code,
            skip_broken_tasks=skip_broken_tasks,
            apply_chat_template=apply_chat_template,
            system_instruction=system_instruction,
            fewshot_as_multiturn=fewshot_as_multiturn,
            use_cache=not no_cache,
        ).resolved(Path.cwd())
        for model in models
    ]
    plans = spread(plans, methods, repairs)
    check_database(db)
    if all(str(level) != "0" for level in plans[0].levels):
        typer.echo(
            f"Level 0 is not among the levels: unless {db} has the unpruned model's results under the same conditions, "
            "there is nothing to compare with; --levels 0,… measures it.",
            err=True,
        )
    session.check_plans(plans, quiet=quiet)
    if detach:
        session.detach(create_all(plans, db)[0], db, as_json=as_json)
    else:
        raise typer.Exit(session.work(create_all(plans, db), db, plain=plain, quiet=quiet, as_json=as_json))


def resume(
    text: RunArgument,
    detach: Detach = False,
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Do what is missing of a run: cells not reached yet, and those that failed."""
    check_database(db)
    found = session.find(db, text)
    if found.state() != RunState.FINISHED:
        session.check_plans([found.plan], quiet=quiet)
    if detach:
        session.detach(found, db, as_json=as_json)
    else:
        raise typer.Exit(session.work([found], db, plain=plain, quiet=quiet, as_json=as_json))


def stop(
    text: RunArgument,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Wait so long for its batch to end.", show_default="60, with --force 5"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Kill it then; what it recorded is kept.")] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Stop a run cleanly; `resume` takes it up again."""
    patience = (_BEFORE_KILLING if force else stopping.PATIENCE) if timeout is None else timeout
    if not 0 <= patience < math.inf:
        raise UserError(f"--timeout {patience:g} is no time to wait: give a number of seconds.")
    found = session.find(db, text)
    worker = stopping.ask(found)
    typer.echo(f"Run {found.run_id} stops after its current batch.", err=True)
    if not worker.has_ended(within=patience):
        if not force:
            raise UserError(
                f"Run {found.run_id} has not stopped within {patience:g} seconds: {worker.why()}. --timeout waits "
                f"longer; `{hint('stop', found.run_id, '--force', db=db)}` kills it, and keeps what it recorded."
            )
        why = worker.why()
        worker.kill()
        typer.echo(f"It did not within {patience:g} seconds ({why}), so it was killed, and its cell is lost.", err=True)
    typer.echo(
        f"Run {found.run_id} is {found.state()}: `{hint('resume', found.run_id, db=db)}` takes it up again.", err=True
    )
