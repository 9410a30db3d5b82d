"""The commands, gathered."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tui.cli import claims, dashboard, diff, doctor, importing, results, rules, run, runs, save, why
from tui.cli.once import Command, Group
from tui.cli.options import DEFAULT_DATABASE, Database, Debug

app = typer.Typer(
    name="prune-tui",
    cls=Group,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from engine.revision import git_revision

        commit = git_revision()
        typer.echo(f"prune-tui {version('prune-tui')}" + (f" (commit {commit})" if commit else ""))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def prune_tui(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_version,
            is_eager=True,
            help="Print the version, and the commit in a checkout, and exit.",
        ),
    ] = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """What do I lose, and gain, when I make this LLM's MLPs narrower?

    Prunes a model's GLU layers at several levels, evaluates every level with
    lm-eval, keeps all results in one DuckDB file, and shows what changed against
    the unpruned model. Without a command it opens the dashboard.
    """
    if context.invoked_subcommand is not None:
        os.environ["PRUNE_TUI_DB"] = str(db)  # for the command, where --db stands before it
    elif dashboard.has_terminal():
        dashboard.show(db)
    else:
        typer.echo(context.get_help())


WATCH = "Watch"
MEASURE = "Measure"
READ = "Read the results"
KEEP = "Keep and mend"

app.command(cls=Command, rich_help_panel=MEASURE)(run.demo)
app.command(cls=Command, rich_help_panel=MEASURE)(run.run)
app.command(cls=Command, rich_help_panel=MEASURE)(run.resume)
app.command(cls=Command, rich_help_panel=MEASURE)(run.stop)
app.command(cls=Command, rich_help_panel=MEASURE)(runs.runs)
app.command(cls=Command, rich_help_panel=WATCH)(dashboard.replay)
app.command(cls=Command, rich_help_panel=WATCH)(dashboard.serve)
app.command(cls=Command, rich_help_panel=READ)(results.export)
app.command(cls=Command, rich_help_panel=READ)(results.sql)
app.command(cls=Command, rich_help_panel=READ)(why.why)
app.command(cls=Command, rich_help_panel=READ)(diff.diff)
app.command(cls=Command, rich_help_panel=READ)(claims.claims)
app.add_typer(rules.app, name="rules", rich_help_panel=READ)
app.command(cls=importing.ImportCommand, name="import", rich_help_panel=KEEP)(importing.import_)
app.command(cls=Command, rich_help_panel=KEEP)(runs.merge)
app.command(cls=Command, rich_help_panel=KEEP)(save.save)
app.command(cls=Command, rich_help_panel=KEEP)(doctor.doctor)
