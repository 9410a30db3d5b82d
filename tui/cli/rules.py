"""`rules`: which level is best, and by which rule."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.cli.files import text_of
from tui.cli.once import Command, Group
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, print_json
from warehouse.commands import hint
from warehouse.records.names import pruned_with
from warehouse.text import one_line

if TYPE_CHECKING:
    from warehouse.read.rules import BestByRule, Rule

app = typer.Typer(cls=Group, add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})

Name = Annotated[str, typer.Argument(metavar="NAME", help="The rule.")]


@app.callback(invoke_without_command=True)
def rules(
    context: typer.Context,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Which level is best, by which rule? Alone: every rule, and the best level of each model under it.

    A rule is a short text of weights and floors. To make your own:
    `rules show study > mine.toml`, edit it and its name, `rules set mine.toml`, `rules use NAME`.
    """
    if context.invoked_subcommand is not None:
        os.environ["PRUNE_TUI_DB"] = str(db)  # where --db stands before the command
        return
    from warehouse.read.rules import best_levels, read_rules

    every_rule, best = read_rules(db), best_levels(db)
    if as_json:
        print_json([asdict(rule) | {"best_levels": _plain(best, rule.name)} for rule in every_rule])
        return
    for rule in every_rule:
        _print(rule, [row for row in best if row.rule == rule.name])


@app.command(cls=Command)
def show(name: Name, as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """Print a rule as TOML, to be edited."""
    from warehouse.read.rules import best_levels, read_rule, to_toml

    rule = read_rule(db, name)
    if as_json:
        print_json(asdict(rule) | {"best_levels": _plain(best_levels(db, name), name)})
    else:
        sys.stdout.write(to_toml(rule))


@app.command(name="set", cls=Command)
def set_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A rule as TOML; `-` reads it from standard input.")],
    use: Annotated[bool, typer.Option("--use", help="And use it from now on.")] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Save a rule under the name it gives. What it was before stays in the table `rules`."""
    from warehouse.read.rules import from_toml, save_rule, use_rule

    saved = save_rule(db, from_toml(sys.stdin.read() if file == "-" else text_of(Path(file))))
    if use:
        use_rule(db, saved.name)
    then = (
        "and used from now on" if use else f"`{hint('rules', 'use', saved.name, db=db)}` makes it the one that counts"
    )
    typer.echo(f"{one_line(saved.name)} is saved, version {saved.version}; {then}.")


@app.command(cls=Command)
def use(name: Name, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """From now on `best_level` follows this rule."""
    from warehouse.read.rules import use_rule

    use_rule(db, name)
    typer.echo(f"best_level follows {one_line(name)} from now on.")


@app.command(cls=Command)
def delete(name: Name, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """Delete a rule; one that shipped with prune-tui and was changed is as it was again."""
    from warehouse.read.rules import delete_rule

    restored = delete_rule(db, name)
    typer.echo(f"{one_line(name)} is {'deleted' if restored is None else 'as it shipped again'}.")


def _plain(best: list[BestByRule], rule: str) -> list[dict[str, Any]]:
    records = [asdict(row) for row in best if row.rule == rule]
    return [{name: value for name, value in row.items() if name != "rule"} for row in records]


def _print(rule: Rule, best: list[BestByRule]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    screen = console()
    title = Text(one_line(rule.name), style="bold")
    title.append(" (in use)" if rule.in_use else "", "bold green")
    title.append("" if rule.preset else f" – yours, version {rule.version}", "not bold")
    screen.print(title)
    screen.print(Padding(Text(one_line(rule.description), style="dim"), (0, 0, 0, 2)))
    for row in best:
        method = one_line(pruned_with(row.method or "", row.repair)).upper()
        text = Text(f"{one_line(row.model)}, {method}: ")
        if row.pruning_pct is not None:
            text.append(f"{row.pruning_pct:g} %", "bold")
            text.append("" if row.score is None else f", score {row.score:.1f} {row.unit}").append(". ")
        screen.print(Padding(text.append(one_line(row.why), "dim"), (0, 0, 0, 2)))
    screen.print()
