"""Commands that are imported when they are called: of the others only the name is known, and their help when it is shown.

What another command imports is nothing that this one should wait for.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from types import CodeType
from typing import Any

import typer
from typer.main import get_command

from tui.cli.once import Command, Group


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is: `function` of `module`, or the commands below it, which are the module's `app`."""

    module: str
    function: str
    panel: str
    kind: type[Command] | str = Command  # a class of the module's own, by its name
    below: bool = False

    def help(self) -> str:
        """The function's docstring, without running its module.

        Raises:
            LookupError: there is no such function.
        """
        return cleandoc(_docstring(self.module, self.function))

    def command(self, name: str) -> Any:
        """The command itself. Imports its module."""
        module = import_module(self.module)
        if self.below:
            made = get_command(module.app)
        else:
            kind = getattr(module, self.kind) if isinstance(self.kind, str) else self.kind
            alone = typer.Typer(add_completion=False)
            alone.command(cls=kind, name=name)(getattr(module, self.function))
            made = get_command(alone)
        made.name = name
        return made


class LazyGroup(Group):
    """Its commands are `places`, by name; each stands here as its name until it is called."""

    places: dict[str, Place]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            name: Command(name, rich_help_panel=place.panel, add_help_option=False)
            for name, place in self.places.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, known, rest = super().resolve_command(ctx, args)
        return name, known if name is None else self.places[name].command(name), rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        for name, place in self.places.items():
            self.commands[name].help = place.help()
        super().format_help(ctx, formatter)


def _docstring(module: str, function: str) -> str:
    spec = find_spec(module)
    code = None if spec is None else spec.loader.get_code(module)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]
    for constant in () if code is None else code.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == function:
            said = constant.co_consts[0] if constant.co_consts else None
            return said if isinstance(said, str) else ""
    raise LookupError(f"There is no {function} in {module}.")
