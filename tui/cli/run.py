"""Commands that measure: start a run, take one up again, stop one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UserError
from engine.planning.asked import DEFAULT_LEVELS
from engine.planning.choices import OPTIONS, chosen_levels, chosen_methods, chosen_repairs
from engine.planning.plan import TRANSFORMERS, RunPlan
from engine.planning.suites import DEMO_MODEL, SUITES, suite
from engine.planning.sweep import spread
from engine.runs import stopping
from engine.runs.create import check_database, create_all
from engine.runs.rundir import RunDir
from engine.sweeps.places import places_of
from tui.cli import dry_runs, pieces, session
from tui.cli.completion import RunsArgument, complete_tasks
from tui.cli.options import (
    DEFAULT_DATABASE,
    Alone,
    AloneAgain,
    CalibrationLength,
    CalibrationText,
    CalibrationTokens,
    Database,
    Debug,
    Detach,
    Divisor,
    Dtype,
    Gpus,
    Json,
    Methods,
    On,
    OnAgain,
    Plain,
    Quiet,
    Repairs,
    Revision,
    TrustRemoteCode,
    TrustTaskCode,
)
from tui.cli.wanted import read_wanted
from warehouse.commands import hint
from warehouse.records.conditions import DEFAULT_SEEDS, seeds_text
from warehouse.records.run_state import RunState

_BEFORE_KILLING = 5.0  # seconds


def demo(
    levels: Annotated[str, typer.Option(metavar="LIST", help="Percentages of neurons to remove.")] = DEFAULT_LEVELS,
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
    context: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL…|SWEEP.toml",
            help="Models on the hub, folders, or `demo`; a run for each, or more. Or a file that says all of it.",
        ),
    ] = None,
    levels: Annotated[
        str,
        typer.Option(metavar="LIST", help="Percentages to remove (40), expansion ratios (2.4x) or widths (w4096)."),
    ] = DEFAULT_LEVELS,
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
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Measure what each level costs, too: time, memory and energy. `profile` has more."
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
    cards: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="GPUs for a model that is larger than one: its layers are spread over them, without graphs.",
        ),
    ] = 1,
    engine: Annotated[
        str,
        typer.Option(metavar="NAME", help="What computes: transformers' layers, or llama.cpp, a GGUF file as it is."),
    ] = TRANSFORMERS,
    like: Annotated[
        str | None, typer.Option(metavar="RUN|SWEEP", help="The same again; options that are given take their place.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Measure, too, what earlier runs have measured of this sweep."),
    ] = False,
    gpus: Gpus = None,
    on: On = "local",
    alone: Alone = "finish",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing of it.")] = False,
    no_start: Annotated[
        bool,
        typer.Option("--no-start", help="Write the runs down, for `worker` or `resume` to carry out."),
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
    others are compared with that. `runs` shows them together, as a sweep. What earlier runs have measured of a sweep
    under the same conditions is not measured again.
    """
    wanted = read_wanted(context, db)
    if detach and wanted.places.count:
        raise UserError("--detach starts one run and returns: leave it out where gpus or on name places.")
    if detach and len(wanted.plans) > 1:
        raise UserError(
            "--detach starts one run and returns: give one model, method and repair, and start the next when it has "
            "ended."
        )
    if dry_run:
        dry_runs.show(wanted, db, as_json=as_json)
        return
    plans = wanted.plans
    check_database(db)
    for line in dry_runs.not_again(wanted):
        typer.echo(line, err=True)
    if not plans:
        return
    if all("0" not in map(str, plan.levels) for plan in wanted.prepared.asked):
        typer.echo(
            f"Level 0 is not among the levels: unless {db} has the unpruned model's results under the same conditions, "
            "there is nothing to compare with; --levels 0,… measures it.",
            err=True,
        )
    wanted.check(quiet=quiet)
    if no_start:
        pieces.write_down(create_all(plans, db), db, as_json=as_json)
    elif detach:
        session.detach(create_all(plans, db)[0], db, as_json=as_json)
    else:
        raise typer.Exit(
            pieces.work(create_all(plans, db), wanted.places, db, plain=plain, quiet=quiet, as_json=as_json)
        )


def resume(
    text: RunsArgument,
    gpus: Gpus = None,
    on: OnAgain = None,
    alone: AloneAgain = None,
    detach: Detach = False,
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Do what is missing of a run, or of a sweep's: evaluations not reached yet, and those that failed."""
    check_database(db)
    found = session.find_all(db, text)
    places = places_of(pieces.where_again(found, db, on, alone, gpus), [one.plan for one in found])
    if missing := [one.plan for one in found if one.state() != RunState.FINISHED]:
        session.check_plans(missing, begun=True, quiet=quiet)
    if detach and places.count:
        raise UserError("--detach goes on with one run here and returns: leave it out where gpus or on name places.")
    if not detach:
        raise typer.Exit(pieces.work(found, places, db, plain=plain, quiet=quiet, as_json=as_json))
    if len(found) > 1:
        raise UserError(f"--detach goes on with one run, and '{text}' is a sweep of {len(found)}: name one of them.")
    session.detach(found[0], db, as_json=as_json)


def stop(
    text: RunsArgument,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Wait so long for its batch to end.", show_default="60, with --force 5"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Kill it then; what it recorded is kept.")] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Stop a run cleanly, or all of a sweep's; `resume` takes it up again."""
    patience = (_BEFORE_KILLING if force else stopping.PATIENCE) if timeout is None else timeout
    if not 0 <= patience < math.inf:
        raise UserError(f"--timeout {patience:g} is no time to wait: give a number of seconds.")
    found = session.find_all(db, text)
    if len(found) == 1:
        _stop(found[0], patience, force=force, db=db)
        return
    working = [one for one in found if one.state() == RunState.RUNNING]
    if not working:
        raise UserError(f"None of the {len(found)} runs of '{text}' is running.")
    while working:  # whoever carries the sweep out may have begun another before it learned of the first
        for one in working:
            stopping.ask(one)
        for one in working:
            if one.state() == RunState.RUNNING:
                _stop(one, patience, force=force, db=db)
        working = [one for one in found if one.state() == RunState.RUNNING]


def _stop(found: RunDir, patience: float, *, force: bool, db: Path) -> None:
    """Raises:
    UserError: it did not stop in time.
    """
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
