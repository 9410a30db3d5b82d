"""`save`: write one level of a model as a checkpoint. The work is done by a process that may load torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import UserError
from engine.planning import model_stack
from engine.runs import launch
from engine.runs.create import check_database
from tui.cli.options import (
    DEFAULT_DATABASE,
    Database,
    Debug,
    Divisor,
    Dtype,
    Json,
    Method,
    Revision,
    TrustRemoteCode,
)
from tui.cli.output import print_json
from warehouse.processes import module_command
from warehouse.records.level import Level


def save(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model on the hub, a folder, or `demo`.")],
    level: Annotated[str, typer.Option(metavar="LEVEL", help="A percentage (40), a ratio (2.4x) or a width (w4096).")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the checkpoint; it must be new or empty.")],
    method: Method = "maw",
    divisor: Divisor = None,
    dtype: Dtype = "auto",
    seed: Annotated[int, typer.Option(metavar="N", help="For the random method.")] = 0,
    revision: Revision = None,
    trust_remote_code: TrustRemoteCode = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", metavar="", help="Replace what the folder holds.")] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Write a pruned model as a safetensors checkpoint that transformers loads, with a model card."""
    check_database(db)
    model_stack.require()
    request = {
        "model": model,
        "level": str(Level.parse(level)),
        "to": str(to.resolve()),
        "method": method,
        "divisor": divisor,
        "dtype": dtype,
        "seed": seed,
        "revision": revision,
        "trust_remote_code": trust_remote_code,
        "overwrite": overwrite,
        "database": str(db.resolve()),
    }
    worker = subprocess.run(
        module_command("engine.worker.save", json.dumps(request)),
        stdout=subprocess.PIPE,
        text=True,
        env={
            "TRANSFORMERS_VERBOSITY": "error",
            "TOKENIZERS_PARALLELISM": "false",
            "TQDM_DISABLE": "" if sys.stderr.isatty() else "1",
        }
        | os.environ,
    )
    if worker.returncode == launch.STOPPED:
        raise KeyboardInterrupt
    if not worker.stdout:
        typer.echo(f"prune-tui: the process that saves ended with exit code {worker.returncode}.", err=True)
        raise typer.Exit(1)
    answer = json.loads(worker.stdout.splitlines()[-1])
    if "error" in answer:
        raise UserError(answer["error"])
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Saved {model} at level {level} in {to}.")
