"""Commands that open the dashboard."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UserError
from engine.runs.create import check_database
from tui.cli import session
from tui.cli.completion import complete_runs
from tui.cli.options import DEFAULT_DATABASE, Database, Debug
from warehouse.text import one_line


def has_terminal() -> bool:
    """Whether there is a terminal, or a browser in its place, to show screens on."""
    return "TEXTUAL_DRIVER" in os.environ or (sys.stdin.isatty() and sys.stdout.isatty())


def show(db: Path) -> None:
    """The dashboard, until it is closed."""
    from tui.opening import open_dashboard

    raise typer.Exit(open_dashboard(db))


def replay(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="Its id, the beginning of one, its name, or `latest`; without it, the recording that ships.",
            autocompletion=complete_runs,
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="N", help="So many times as fast as it was.", show_default="20, the recording 1"),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Play a run back from its journal: its grid filling in, its rates, its log and GPU.

    Without a run it plays a recording of the demo, which needs no GPU and writes nothing.
    """
    if speed is not None and not 0 < speed < 100_000:
        raise UserError(f"A speed of {speed:g} plays nothing: give a number above zero, such as 20.")
    if text is None:
        from tui.runs.replay import RECORDING

        folder, speed = RECORDING, speed or 1.0
    else:
        run = session.find(db, text)
        if not run.journal_path.exists():
            raise UserError(f"Run {run.run_id} has not been started: there is nothing to play back.")
        folder, speed = run.path, speed or 20.0
    if not has_terminal():
        raise UserError("A replay needs a terminal to be shown on.")
    from tui.opening import open_replay

    raise typer.Exit(open_replay(db, folder, speed=speed))


def serve(
    host: Annotated[str, typer.Option(metavar="NAME", help="Address to listen on; localhost is this machine only.")] = (
        "localhost"
    ),
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535)] = 8000,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Show the dashboard in a browser. Whoever opens it can start and delete runs.

    There is no password. Beyond this machine only the address that is printed, with its token, opens it.
    """
    try:
        from tui.serve.serving import LOCAL, DashboardServer
    except ImportError as error:
        raise UserError(
            "The browser version needs textual-serve, which is not installed: pip install 'prune-tui[web]'."
        ) from error
    if host not in LOCAL:
        typer.echo(
            f"Warning: anyone who reaches {one_line(host)}:{port} with the token below can start and delete runs, and "
            "run code that a model brings. It goes over the network as plain text; without --host only this machine "
            "is answered.",
            err=True,
        )
    check_database(db)
    os.environ["PRUNE_TUI_DB"] = str(db.resolve())
    command = shlex.join([sys.executable, "-P", "-m", "prune_tui"])
    try:
        DashboardServer(command, host=host, port=port).serve()
    except OSError as error:
        raise UserError(
            f"Nothing can listen on {host}:{port} ({error.strerror or error}): choose another --port or --host."
        ) from error
