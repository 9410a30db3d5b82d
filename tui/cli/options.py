"""Options that several commands share."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.errors import UserError
from tui.cli import guard


def _debug(wanted: bool) -> None:
    if wanted:
        guard.show_tracebacks()


def _reachable(database: Path) -> Path:
    """Raises:
    UserError: it is a folder without a name, as "." and "/" are, which its runs' folder could have one after; or DuckDB
        would look for it, or for its log, in another place.
    OSError: nobody can tell whether it is there, let alone create it.
    """
    if not database.name:
        raise UserError(f"{database} is a folder, not a database file: name a file with --db.")
    if odd := next((character for character in "?\\" if character in str(database.absolute())), None):
        raise UserError(f"DuckDB cannot keep a database under a path with {odd} in it: choose another --db.")
    with suppress(FileNotFoundError, NotADirectoryError):
        database.stat()
    return database


Debug = Annotated[
    bool,
    typer.Option("--debug", callback=_debug, is_eager=True, help="Show the traceback of an error."),
]
Database = Annotated[
    Path,
    typer.Option(
        "--db", metavar="FILE", envvar="PRUNE_TUI_DB", callback=_reachable, help="The results, a DuckDB file."
    ),
]
DEFAULT_DATABASE = Path("results.duckdb")

Plain = Annotated[bool, typer.Option("--plain", help="Plain log lines instead of a live display.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors and the result only.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def refuse_two_formats(named: str | None, as_json: bool) -> None:
    """Raises:
    UserError: `--format` says otherwise than `--json`.
    """
    if as_json and named not in (None, "json"):
        raise UserError(f"--json and --format {named} say two things: give one of them.")


Detach = Annotated[bool, typer.Option("--detach", help="Start the run and return; it goes on by itself.")]

Gpus = Annotated[
    str | None,
    typer.Option(
        metavar="LIST|all",
        help="Work on these GPUs side by side, a run on each; fewer runs than GPUs are split by their levels.",
        show_default="one run after another",
    ),
]

_ON = "Where runs are carried out: here, on the Ray cluster that this host is part of (or its own), or on another."
_PLACES = "local|ray|ray://HOST:PORT"
_ALONE = "What workers on a cluster do when nobody asks after them any more."
On = Annotated[str, typer.Option("--on", metavar=_PLACES, help=_ON)]
OnAgain = Annotated[
    str | None, typer.Option("--on", metavar=_PLACES, help=_ON, show_default="the cluster that it was on, or here")
]
Alone = Annotated[str, typer.Option("--alone", metavar="finish|stop", help=_ALONE)]
AloneAgain = Annotated[
    str | None, typer.Option("--alone", metavar="finish|stop", help=_ALONE, show_default="as before, or finish")
]

METHODS = "{methods}"  # stands in a help text for what is installed, which is looked up when the help is shown


def _method(name: str | None) -> str | None:
    from engine.planning.methods import find_method

    if name is None:
        return None
    try:
        return find_method(name.lower()).name
    except UserError as error:
        raise typer.BadParameter(str(error)) from error


def method_names() -> str:
    from rich.markup import escape

    from engine.planning.methods import pruning_methods

    return escape(", ".join(f"{method.name} ({method.declared.title})" for method in pruning_methods()))


Methods = Annotated[
    str,
    typer.Option(metavar="LIST", help=f"How a neuron's importance is measured, a run for each: {METHODS}."),
]
Repairs = Annotated[
    str,
    typer.Option(
        metavar="LIST",
        help="How what was removed is made up for, a run for each: none, or lsq (the rest of down_proj fitted to the "
        "unpruned output).",
    ),
]
Repair = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How what was removed is made up for: none, or lsq (the rest of down_proj fitted to the unpruned output).",
        show_default="none",
    ),
]
CalibrationText = Annotated[
    str | None,
    typer.Option(
        "--calibration",
        metavar="TEXT",
        help="What neurons are looked at on, where the method or the repair does: self (text that the unpruned model "
        "writes), a text file, or task:NAME (a task's training split).",
        show_default="self",
    ),
]
CalibrationTokens = Annotated[
    int | None,
    typer.Option(metavar="N", help="Tokens of it.", show_default="131072 on a GPU, 16 for each neuron on a CPU"),
]
CalibrationLength = Annotated[
    int | None, typer.Option(metavar="N", help="Tokens of a sequence.", show_default="it follows the device")
]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=_method,
        help=f"How a neuron's importance is measured: {METHODS}.",
        show_default="maw",
    ),
]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    typer.Option(
        metavar="NAME",
        help="float32, bfloat16, float16; auto is the checkpoint's own on a GPU, float32 on a CPU.",
    ),
]
Revision = Annotated[str | None, typer.Option(metavar="NAME", help="Branch, tag or commit of the model on the hub.")]
Divisor = Annotated[int | None, typer.Option(metavar="N", help="Round widths down to a multiple of N.")]
TrustRemoteCode = Annotated[
    bool,
    typer.Option("--trust-remote-code", help="Run Python code that comes with the model. Read it first."),
]
TrustTaskCode = Annotated[
    bool,
    typer.Option(
        "--trust-task-code",
        help="Run Python that task files of --include-path name. Read it first; without this, such tasks are refused. "
        "lm-eval's own functions run in any case, on whatever documents a task gives them.",
    ),
]
