"""`config`: what is settled for all commands, and where."""

from __future__ import annotations

import typer

from tui.cli.listing import print_rows
from tui.cli.options import Debug, Json
from tui.cli.output import print_json
from warehouse.text import one_line


def config(as_json: Json = False, debug: Debug = False) -> None:
    """Show the settings that hold for all commands and the dashboard, and where each comes from.

    They stand in a TOML file: database, cache, device and suite, notify (bell, desktop: how the dashboard tells that a
    run has ended) and on_end (a command to run then), each a text in quotes. An option counts before a variable of the
    environment, that before the file, and the file before what is built in.
    """
    print_settings(as_json=as_json)


def print_settings(*, as_json: bool = False) -> None:
    """Raises:
    UserError: the file is wrong.
    """
    from engine import settings

    path, found = settings.config_path(), settings.settled()
    if as_json:
        told = {one.setting.name: {"value": one.value, "source": one.source} for one in found}
        print_json({"file": str(path), "exists": path.exists(), "settings": told})
        return
    typer.echo(f"{one_line(str(path))}{'' if path.exists() else ', which is not there yet'}\n")
    rows = [
        (one.setting.name, one_line(one.value or one.setting.built_in), one.setting.variable, one.source.split(" (")[0])
        for one in found
    ]
    print_rows(("setting", "is", "variable", "from"), rows)
