"""`why`: where a number came from, and whether its sources still say the same."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.runs import rundir
from tui.cli.completion import complete_models
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import print_json
from warehouse.text import one_line

if TYPE_CHECKING:
    from warehouse.read.figures import FigureOrigin
    from warehouse.read.trace import Check, Provenance

_LABEL = 12
_MARKS = {True: "✓", False: "✗", None: "?"}


def why(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="The model, the part of its name after the slash, or its id.",
            autocompletion=complete_models,
        ),
    ],
    level: Annotated[
        str, typer.Argument(metavar="LEVEL", help="A percentage (40), a ratio (2.4x) or a width (w4096).")
    ],
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="An lm-eval task or group, the name of a benchmark, or a quantity that `profile` measures.",
        ),
    ],
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="Instead of the headline metric; `name,filter` will do, too.")
    ] = None,
    filter_: Annotated[str | None, typer.Option("--filter", metavar="NAME", help="lm-eval's filter.")] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="The pruning method.")] = None,
    repair: Annotated[str | None, typer.Option(metavar="NAME", help="How it was repaired: none or lsq.")] = None,
    conditions: Annotated[str | None, typer.Option(metavar="TEXT", help="The conditions, or a part of them.")] = None,
    shots: Annotated[int | None, typer.Option(metavar="N", help="The number of examples in the prompt.")] = None,
    version: Annotated[
        str | None, typer.Option("--version-of-task", metavar="TEXT", help="The version of the task.")
    ] = None,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Tell where a number came from: run, versions, model, task, samples and the line of the journal.

    What can be verified is: that the journal, or the file it was imported from, still says the same number, and that
    the per-document results give it. Exit code 1 where one of them says otherwise.
    """
    from tui.results import provenance
    from warehouse.read.figures import QUANTITIES
    from warehouse.read.metric_lookup import MetricQuery
    from warehouse.read.trace import trace

    if task in QUANTITIES:
        _figures(db, model, level, task, as_json=as_json)
        return
    wanted = MetricQuery(
        model=model, level=level, task=task, metric=metric, filter=filter_, method=method, repair=repair,
        conditions=conditions, shots=shots, version=version,
    )  # fmt: skip
    found = trace(db, wanted, rundir.runs_root(db))
    if as_json:
        print_json(provenance.as_json(found))
    else:
        typer.echo(one_line(provenance.headline(found)))
        _print(found.origin, "This number" if found.baseline else "")
        if found.baseline is not None:
            _print(found.baseline, "Its baseline, the unpruned model")
        for line in provenance.differences(found):
            typer.echo(f"\nMeasured otherwise than its baseline: {one_line(line)}.")
        typer.echo(f"\n{provenance.verdict(found)}")
    if not found.holds:
        raise typer.Exit(1)


def _figures(db: Path, model: str, level: str, quantity: str, *, as_json: bool) -> None:
    """Of what a level costs: every way that it was measured, and by what."""
    from warehouse.read.figures import check_figures, figure_origins

    found = figure_origins(db, model, level, quantity)
    checks = check_figures(found, rundir.runs_root(db))
    if as_json:
        print_json([asdict(one) | {"check": asdict(check)} for one, check in zip(found, checks, strict=True)])
    else:
        _print_figures(quantity, zip(found, checks, strict=True))
    if any(check.holds is False for check in checks):
        raise typer.Exit(1)


def _print_figures(quantity: str, found: Iterable[tuple[FigureOrigin, Check]]) -> None:
    for one, check in found:
        about = (one.phase, one.engine, one.mode, one.width)
        value = "missing" if one.mean is None else f"{one.mean:.6g} {one.unit}"
        value += "" if one.half_width is None else f" ± {one.half_width:.2g}"
        typer.echo(one_line(f"{quantity} {value}: {one.workload}, {', '.join(filter(None, about))}".rstrip(", ")))
        limit = "" if one.limit_share is None else f"{one.limit_share:.1%} of the {one.limited_by} rate"
        drift = "" if one.drift_pct is None else f", {one.drift_pct:.1f} % apart"
        for label, text in (
            ("run", one.run_id),
            ("when", f"{one.recorded_at:%Y-%m-%d %H:%M} UTC"),
            ("machine", one.device),
            ("measured by", one.source),
            ("rounds", f"{one.rounds}{drift}"),
            ("limit", limit),
            ("note", one.note),
            ("verified", f"{_MARKS[check.holds]} {check.what}: {check.said}"),
        ):
            if text:
                typer.echo(f"  {label:<{_LABEL}}{one_line(text)}")


def _print(origin: Provenance, title: str) -> None:
    from tui.results import provenance

    typer.echo(f"\n{title}" if title else "")
    width = max(shutil.get_terminal_size().columns, 60) if sys.stdout.isatty() else None
    for label, text in provenance.lines(origin):
        line = f"  {label:<{_LABEL}}{one_line(text)}"
        wrapped = line if width is None else textwrap.fill(line, width, subsequent_indent=" " * (_LABEL + 2))
        typer.echo(wrapped)
