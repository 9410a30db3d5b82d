"""Writes docs/options.md, every command with its options, from the command line itself: `make reference`."""

from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperArgument
from typer.main import get_command

from tui.cli.app import Commands, app
from tui.cli.options import METHODS

PAGE = Path(__file__).with_name("options.md")
HEAD = """\
# Options of every command

Written by `make reference` from the command line itself, which says the same at `prune-tui COMMAND --help`. What
commands have in common is in [the command line](command-line.md), what they print for scripts in [JSON](json.md).
"""
# What stands below each command, and is told once.
_SHARED = {"--db", "--debug"}


def page() -> str:
    """The whole page."""
    parts = [HEAD, _section("prune-tui", get_command(app))]
    for panel in dict.fromkeys(place.panel for place in Commands.places.values()):
        names = [name for name, place in Commands.places.items() if place.panel == panel]
        parts += [f"## {panel}\n", *(_with_those_below(name, Commands.places[name].command(name)) for name in names)]
    return "\n".join(parts)


def _with_those_below(name: str, command: Any) -> str:
    below = getattr(command, "commands", None) or {}
    return "\n".join([_section(name, command), *(_section(f"{name} {one}", below[one]) for one in below)])


def _section(name: str, command: Any) -> str:
    first = name == "prune-tui"
    shown = [one for one in command.params if not one.hidden and (first or not _SHARED & {*one.opts})]
    parts = ["## All commands\n" if first else f"### {name}\n", f"{_text(cleandoc(command.help or ''))}\n"]
    if shown:
        parts.append("| option | value | what it does |\n|---|---|---|")
        parts += [f"| {_names(one)} | {_value(one)} | {_meaning(one)} |" for one in shown]
        parts.append("")
    return "\n".join(parts)


def _names(one: Any) -> str:
    if isinstance(one, TyperArgument):
        return f"`{_without_brackets(one.metavar or one.name.upper())}`"
    return ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))


def _without_brackets(metavar: str) -> str:
    return metavar.replace("|", " or ").strip("[]{}")


def _value(one: Any) -> str:
    if isinstance(one, TyperArgument) or one.is_flag:
        return ""
    annotation = one.type_descriptor.annotation
    named = one.metavar or ", ".join(map(str, get_args(annotation))) or annotation.__name__.upper()
    return named.replace("|", " or ")


def _meaning(one: Any) -> str:
    told = _text((one.help or "").replace(METHODS, "[the methods](methods.md)"))
    shown, default = one.show_default, one.default
    if isinstance(shown, str):
        told += f" Default: {shown}."
    elif not isinstance(one, TyperArgument) and not one.is_flag and default is not None and not callable(default):
        told += f" Default: `{default}`."
    if isinstance(one.envvar, str):
        told += f" Variable: `{one.envvar}`."
    return told.strip()


def _text(text: str) -> str:
    """Markdown in which no sign of a help text means something else."""
    text = re.sub(r"\n{2,}", "\0", text.replace("|", r"\|").replace("<", r"\<"))
    return " ".join(text.split()).replace("\0", "\n\n")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
