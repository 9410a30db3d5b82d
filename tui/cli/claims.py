"""`claims`: does what was measured support what the study says?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, print_json
from warehouse.commands import hint
from warehouse.errors import UserError
from warehouse.text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from warehouse.read.claims import Claim

_STYLES = {"supported": "bold dodger_blue1", "not supported": "dark_orange", "mixed": "bold", "cannot tell": "dim"}


def claims(
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Only this claim, with the numbers for it.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help="Only what this model says; may be repeated."),
    ] = None,
    as_json: Json = False,
    format_: Annotated[
        Literal["table", "markdown"], typer.Option("--format", help="Markdown is a page of all numbers.")
    ] = "table",
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Tell which of the study's claims the results support, noise taken into account, and what is missing to tell.

    The study: Martra 2025, arXiv 2512.22671 (versions 1 and 2), its "Key Observations". `prune-tui import published`
    brings its own results in.
    """
    from tui.claims import wording
    from warehouse.read.claims import read_claims

    claims, changes = read_claims(db, model or ())
    if number is not None:
        there_are = [claim.number for claim in claims]
        if number not in there_are:
            raise UserError(f"There is no claim {number}: they are numbered {there_are[0]} to {there_are[-1]}.")
        claims = [claim for claim in claims if claim.number == number]
        changes = [change for change in changes if change.claim == number]
    if as_json:
        numbers = [asdict(change) for change in changes]
        print_json(
            [asdict(claim) | {"numbers": [one for one in numbers if one["claim"] == claim.number]} for claim in claims]
        )
    elif format_ == "markdown":
        sys.stdout.write(wording.document(claims, changes))
    else:
        screen = console()
        _print(screen, claims, words=number is not None)
        if number is not None:
            levels, lines = wording.lines(changes, number)
            _numbers(screen, levels, lines)
        else:
            numbers_from = hint("claims", "NUMBER", db=db)
            screen.print(f"{wording.summary(claims)}. `{numbers_from}` has the numbers.", soft_wrap=True)


def _print(screen: Console, claims: Sequence[Claim], *, words: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from tui.claims import wording

    for claim in claims:
        screen.print(Text(f"{claim.number:>2}  {claim.title}", style="bold"))
        screen.print(Text(f"    {wording.verdict(claim)}", style=_STYLES[claim.verdict]))
        if words:
            screen.print(Padding(Text(f"The study – {claim.study_says}", style="dim"), (0, 0, 0, 4)))
            screen.print(Padding(Text(f"The test – {claim.test}", style="dim"), (0, 0, 0, 4)))
            if claim.v3_says:
                screen.print(Padding(Text(f"Version 3 – {claim.v3_says}", style="dim"), (0, 0, 0, 4)))
        for finding in claim.findings:
            text = Text.assemble(
                (f"{wording.GLYPHS[finding.verdict]} ", _STYLES[finding.verdict]),
                f"{one_line(wording.who(finding, claim.findings))}: ",
                (one_line(wording.why(finding)), "dim"),
            )
            screen.print(Padding(text, (0, 0, 0, 4)))
        if not claim.findings and claim.missing:
            screen.print(Padding(Text(f"Missing: {claim.missing}.", style="dim"), (0, 0, 0, 4)))
        screen.print()


def _numbers(screen: Console, levels: Sequence[float], lines: Sequence) -> None:
    from rich.table import Table
    from rich.text import Text

    from tui.claims import wording

    if not lines:
        screen.print(wording.NO_NUMBERS)
        return
    colours = {"gain": "bold dodger_blue1", "loss": "dark_orange", "noise": "", None: "dim"}
    room = max((screen.width - 38) // 11, 1)
    for start in range(0, len(levels), room):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column("", max_width=22, no_wrap=True, overflow="ellipsis")
        table.add_column("", max_width=15, no_wrap=True, overflow="ellipsis")
        for level in levels[start : start + room]:
            table.add_column(f"{level:g}%", justify="right", no_wrap=True)
        for model, benchmark, at in lines:
            cells = [at.get(level) for level in levels[start : start + room]]
            table.add_row(
                one_line(model),
                one_line(benchmark),
                *(Text(wording.cell(one), style="" if one is None else colours[one.verdict]) for one in cells),
            )
        screen.print(table)
    screen.print(wording.LEGEND, style="dim")
