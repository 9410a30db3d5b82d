"""`profile`: what does each level cost, in time, memory and energy?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engine.planning.asked import DEFAULT_LEVELS, Asked, plans_of
from engine.planning.profiling import (
    ENGINES,
    NAMED,
    ProfilePlan,
    parse_batches,
    parse_prompts,
    parse_words,
)
from engine.runs.create import check_database, create_all
from tui.cli import session
from tui.cli.options import (
    DEFAULT_DATABASE,
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
)


def profile(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model on the hub, a folder, or `demo`.")],
    levels: Annotated[
        str,
        typer.Option(metavar="LIST", help="Percentages to remove (40), expansion ratios (2.4x) or widths (w4096)."),
    ] = DEFAULT_LEVELS,
    method: Methods = "maw",
    repair: Repairs = "none",
    prompts: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Tokens of a prompt.", show_default="128,512,2048,8192; on a CPU 64"),
    ] = None,
    batches: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Requests at a time; `max` is the largest number that fits.",
            show_default="1,8,64,max; on a CPU 1,8",
        ),
    ] = None,
    new_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Tokens written after each prompt.", show_default="32; on a CPU 8"),
    ] = None,
    workloads: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help=f"The study's, by name, in place of prompts and batches: {', '.join(NAMED)}."
        ),
    ] = None,
    engines: Annotated[
        str, typer.Option(metavar="LIST", help=f"Who answers: {', '.join(ENGINES)}.")
    ] = "transformers,ours",
    pad_to: Annotated[int, typer.Option(metavar="N", help="Padded widths are multiples of this.")] = 64,
    rounds: Annotated[int, typer.Option(metavar="N", help="How often all levels are gone through.")] = 2,
    seconds: Annotated[
        float | None,
        typer.Option(metavar="N", help="Bound of the whole measuring.", show_default="1800; on a CPU 20"),
    ] = None,
    seconds_each: Annotated[
        float | None,
        typer.Option(metavar="N", help="Bound of a level's repeats in a round.", show_default="2; on a CPU 0.05"),
    ] = None,
    no_energy: Annotated[bool, typer.Option("--no-energy", help="Time and memory only.")] = False,
    dtype: Dtype = "auto",
    device: Annotated[
        str,
        typer.Option(metavar="NAME", envvar="PRUNE_TUI_DEVICE", help="cpu, cuda, cuda:1, mps; auto takes the best."),
    ] = "auto",
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="A name to find the run by.")] = None,
    revision: Revision = None,
    divisor: Divisor = None,
    trust_remote_code: TrustRemoteCode = False,
    detach: Detach = False,
    db: Database = DEFAULT_DATABASE,
    plain: Plain = False,
    quiet: Quiet = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure what each level costs: time to the first token and per token, memory, bytes and energy.

    Every level reads and writes the same number of tokens; widths are measured as they are and padded, eager and as
    captured graphs, in an order drawn anew each round. What cannot be measured is kept as missing, with its reason.
    `show RUN` prints the figures, `choose` decides by them.
    """
    wanted = ProfilePlan(
        prompts=None if prompts is None else parse_prompts(prompts),
        batches=None if batches is None else parse_batches(batches),
        new_tokens=new_tokens,
        workloads=parse_words("--workloads", workloads),
        engines=parse_words("--engines", engines),
        pad_to=pad_to,
        rounds=rounds,
        seconds=seconds,
        seconds_each=seconds_each,
        energy=not no_energy,
    )
    asked = Asked(
        model=model, levels=levels, method=method, repair=repair, profile=True, dtype=dtype, device=device, name=name,
        revision=revision, divisor=divisor, trust_remote_code=trust_remote_code,
    )  # fmt: skip
    plans = [replace(plan, profile=wanted) for plan in plans_of([asked], Path.cwd(), name=name)]
    check_database(db)
    session.check_plans(plans, quiet=quiet)
    runs = create_all(plans, db)
    if detach and len(runs) == 1:
        session.detach(runs[0], db, as_json=as_json)
    else:
        raise typer.Exit(session.work(runs, db, plain=plain, quiet=quiet, as_json=as_json))
