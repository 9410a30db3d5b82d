"""`check`: do pruned models keep what they have to?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import UserError
from tui.cli.completion import complete_models
from tui.cli.listing import print_rows
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import print_json
from warehouse.records.names import pruned_with
from warehouse.text import counted, one_line

if TYPE_CHECKING:
    from warehouse.read.retained import Retained


def check(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="The model, or the part of its name after the slash; without it, all.",
            autocompletion=complete_models,
        ),
    ] = None,
    share: Annotated[
        float, typer.Option("--retained", metavar="SHARE", help="What a level has to keep, such as 0.9.")
    ] = 0.9,
    level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="Only this one: a percentage (40), a ratio (2.4x) or a width (w4096)."),
    ] = None,
    tasks: Annotated[str | None, typer.Option(metavar="LIST", help="Only these tasks or benchmarks.")] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="Only this pruning method.")] = None,
    each: Annotated[bool, typer.Option("--each", help="Every benchmark has to keep it, not their mean.")] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Check that pruned levels keep a share of the unpruned model's scores: a gate for CI.

    A benchmark keeps value / baseline of its headline metric, baseline / value where lower is better; a level keeps
    the mean over its benchmarks, as `retained_pct` of the view level_scores. A benchmark that other levels have and
    this one lacks was not kept. Exit code 0: all levels keep it; 1: some do not; 2: nothing to check.
    """
    from warehouse.read.retained import retained

    if not 0 < share <= 1:
        raise UserError(f"--retained {share:g} is no share of a score: give one above 0 and up to 1, such as 0.9.")
    names = [] if tasks is None else [name.strip() for name in tasks.split(",") if name.strip()]
    if tasks is not None and not names:
        raise UserError("--tasks names no task: list some, such as piqa,boolq, or leave it away for all.")
    levels = retained(db, model=model, level=level, method=method, tasks=names)
    short = [one for one in levels if not one.keeps(share, each=each)]
    if as_json:
        print_json(
            {
                "retained": share,
                "each": each,
                "passed": not short,
                "levels": [_plain(one) | {"passed": one.keeps(share, each=each)} for one in levels],
            }
        )
    else:
        _print(levels, short, share, each=each)
    raise typer.Exit(1 if short else 0)


def _print(levels: list[Retained], short: list[Retained], share: float, *, each: bool) -> None:
    of = "each benchmark" if each else "their scores"
    count = counted(len(levels), "level")
    if short:
        rows = [row for one in short for row in _rows(one, share, each=each)]
        print_rows(("model", "method", "level", "benchmark", "keeps"), rows, ("level", "keeps"))
        typer.echo(f"\n{len(short)} of {count} keep less than {share:.1%} of {of}.")
    else:
        typer.echo(f"{count} checked: all keep at least {share:.1%} of {of}.")
    if out := list(dict.fromkeys(name for one in levels for name in one.left_out)):
        typer.echo(
            f"Left out, since the unpruned score is not clear of zero: {one_line(', '.join(out))}.",
            err=True,
        )


def _rows(one: Retained, share: float, *, each: bool) -> list[tuple[str, ...]]:
    """The level's mean, or the benchmarks that keep too little; then what it lacks."""
    if each:
        found = [(name, f"{kept:.1%}") for name, kept in one.below(share).items()]
    elif one.retained is None:
        found = [("mean", "not known")]
    else:
        worst = min(one.shares, key=one.shares.__getitem__)
        found = [(f"mean of {len(one.shares)}, worst {worst} ({one.shares[worst]:.1%})", f"{one.retained:.1%}")]
    found += [(name, "not measured") for name in one.missing]
    about = one_line(one.model), pruned_with(one.method, one.repair).upper(), f"{one.pruning_pct:g}%"
    return [(*about, one_line(name), kept) for name, kept in found]


def _plain(one: Retained) -> dict[str, Any]:
    benchmarks = [{"benchmark": name, "retained": share} for name, share in one.shares.items()]
    return {name: value for name, value in asdict(one).items() if name != "shares"} | {"benchmarks": benchmarks}
