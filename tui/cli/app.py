"""The commands, gathered."""

from __future__ import annotations

import os
from typing import Annotated, ClassVar

import typer

from tui.cli.lazy import LazyGroup, Place
from tui.cli.options import DEFAULT_DATABASE, Database, Debug

WATCH = "Watch"
MEASURE = "Measure"
READ = "Read the results"
KEEP = "Keep and mend"


class Commands(LazyGroup):
    places: ClassVar = {
        "demo": Place("tui.cli.run", "demo", MEASURE),
        "run": Place("tui.cli.run", "run", MEASURE),
        "profile": Place("tui.cli.profile", "profile", MEASURE),
        "resume": Place("tui.cli.run", "resume", MEASURE),
        "stop": Place("tui.cli.run", "stop", MEASURE),
        "runs": Place("tui.cli.runs", "runs", MEASURE),
        "show": Place("tui.cli.show", "show", MEASURE),
        "tasks": Place("tui.cli.tasks", "tasks", MEASURE),
        "suites": Place("tui.cli.tasks", "suites", MEASURE),
        "wait": Place("tui.cli.sweeps", "wait", MEASURE),
        "worker": Place("tui.cli.sweeps", "worker", MEASURE),
        "logs": Place("tui.cli.sweeps", "logs", WATCH),
        "replay": Place("tui.cli.dashboard", "replay", WATCH),
        "serve": Place("tui.cli.dashboard", "serve", WATCH),
        "models": Place("tui.cli.models", "models", READ),
        "export": Place("tui.cli.export", "export", READ),
        "sql": Place("tui.cli.sql", "sql", READ),
        "why": Place("tui.cli.why", "why", READ),
        "diff": Place("tui.cli.diff", "diff", READ),
        "views": Place("tui.cli.schema", "views", READ),
        "schema": Place("tui.cli.schema", "schema", READ),
        "check": Place("tui.cli.check", "check", READ),
        "choose": Place("tui.cli.choose", "choose", READ),
        "claims": Place("tui.cli.claims", "claims", READ),
        "rules": Place("tui.cli.rules", "rules", READ, below=True),
        "import": Place("tui.cli.importing", "import_", KEEP, kind="ImportCommand"),
        "rename": Place("tui.cli.rename", "rename", KEEP),
        "merge": Place("tui.cli.runs", "merge", KEEP),
        "delete": Place("tui.cli.sweeps", "delete", KEEP),
        "save": Place("tui.cli.save", "save", KEEP),
        "certify": Place("tui.cli.certify", "certify", KEEP),
        "config": Place("tui.cli.config", "config", KEEP),
        "doctor": Place("tui.cli.doctor", "doctor", KEEP),
    }


app = typer.Typer(
    name="prune-tui",
    cls=Commands,
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


def _show_config(wanted: bool) -> None:
    if wanted:
        from tui.cli.config import print_settings

        print_settings()
        raise typer.Exit


@app.callback(invoke_without_command=True)
def prune_tui(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_version,
            is_eager=True,
            help="Print the version, and the commit in a checkout, and exit.",
        ),
    ] = False,
    show_config: Annotated[
        bool,
        typer.Option(
            "--show-config",
            metavar="",
            callback=_show_config,
            is_eager=True,
            help="Print the settings that hold and where each comes from, and exit.",
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
        if str(db) != (os.environ.get("PRUNE_TUI_DB") or str(DEFAULT_DATABASE)):
            os.environ["PRUNE_TUI_DB"] = str(db)  # for the command, where --db stands before it
        return
    from tui.cli import dashboard

    if dashboard.has_terminal():
        dashboard.show(db)
    else:
        typer.echo(context.get_help())
