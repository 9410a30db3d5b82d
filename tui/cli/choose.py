"""`choose`: which level, for a budget?"""

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
    from warehouse.read.choose import Candidate, Choice


def choose(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="The model, or the part of its name after the slash.", autocompletion=complete_models
        ),
    ],
    max_memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that there is, such as 1.6GB or 1500MiB.")
    ] = None,
    max_ms: Annotated[
        float | None, typer.Option("--max-ms-per-token", metavar="MS", help="Milliseconds that a token may take.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="BENCH=SHARE", help="Share of its score that a benchmark has to keep: mmlu=0.9."),
    ] = None,
    lose: Annotated[
        list[str] | None,
        typer.Option(metavar="BENCH=POINTS", help="Points of 100 that a benchmark may lose: piqa=2."),
    ] = None,
    rule: Annotated[
        str | None, typer.Option(metavar="NAME", help="What is kept, by this rule.", show_default="the one in use")
    ] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help="Only this pruning method.")] = None,
    batch: Annotated[int, typer.Option(metavar="N", help="Figures of so many requests at a time.")] = 1,
    workload: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Figures of this workload.", show_default="the slowest of all"),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Figures of this machine.", show_default="the one profiled last"),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="What each level buys, as a Markdown table.")] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Choose the level that keeps most within a budget: of memory, of time a token, of what benchmarks may lose.

    A budget is held where the worse end of the 95 % interval holds it.

    Memory and time are a profile's (`profile MODEL`), or an import's; where nobody measured the peak, the weights'
    bytes stand for it. Exit code 0: there is such a level; 1: there is none; 2: nothing to choose from.
    """
    from warehouse.read.budget import Budget
    from warehouse.read.choose import choose as chosen

    budget = Budget.of(max_memory, max_ms, keep or [], lose or [])
    if batch < 1:
        raise UserError("--batch is a whole number above zero.")
    found = chosen(db, model, budget, rule=rule, method=method, batch=batch, device=on, workload=workload)
    if as_json:
        print_json(_plain(found))
    elif markdown:
        from warehouse.exporters.cost_markdown import cost_table

        typer.echo(cost_table(found))
    else:
        _print(found)
    raise typer.Exit(0 if found.best is not None else 1)


def _print(found: Choice) -> None:
    from warehouse.exporters.cost_markdown import cost_cells, label

    best = found.best
    about = f"by the rule {one_line(found.rule)}, {_machine(found)}"
    if best is None:
        typer.echo(f"None: no level of {one_line(found.others[0].model)} is within the budget, {about}.")
    else:
        typer.echo(f"{one_line(best.model)}: {label(best)}, {about}.")
        typer.echo(_against(best, found))
    typer.echo()
    rows = [
        (*cost_cells(one), "chosen" if one is best else _verdict(one, best)) for one in (*found.fitting, *found.others)
    ]
    numbers = ("level", "keeps", "ms/token", "memory", "J/token")
    print_rows(("level", "method", *numbers[1:], ""), rows, numbers)
    if any(one.cost.memory_is == "weights" and one.cost.memory for one in (*found.fitting, *found.others)):
        typer.echo("\nw: the weights alone, since no peak was measured.")


def _machine(found: Choice) -> str:
    if found.device is None:
        return "nothing of it was profiled"
    return f"figures of {one_line(found.device)}, {counted(found.batch, 'request')} at a time"


def _against(best: Candidate, found: Choice) -> str:
    if len(found.fitting) == 1:
        return "It is the only one within the budget."
    second = found.fitting[1]
    from warehouse.exporters.cost_markdown import label

    clear = best.clear_of(second)
    told = "noise is not known" if clear is None else "clearly less" if clear else "within noise of it"
    return f"Of {len(found.fitting)} within the budget it keeps most; second is {label(second)}, {told}."


def _verdict(one: Candidate, best: Candidate | None) -> str:
    if one.out:
        return one_line("; ".join(one.out))
    if one.unknown:
        return one_line("cannot tell: " + "; ".join(one.unknown))
    clear = None if best is None else best.clear_of(one)
    return "keeps less" if clear else "keeps less, within noise" if clear is False else "keeps less, noise not known"


def _plain(found: Choice) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "device": found.device,
        "batch": found.batch,
        "chosen": None if found.best is None else asdict(found.best),
        "runners_up": [asdict(one) for one in found.fitting[1:]],
        "others": [asdict(one) for one in found.others],
        "method": None if found.best is None else pruned_with(found.best.method, found.best.repair),
    }
