"""Commands on which an option that takes one value is given once: the parser would keep the last without a word.

Which take lm-eval's spelling of an option (`habits`), and whose help lists the pruning methods that are installed, and
no types of Python's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from engine.errors import UserError
from tui.cli import habits
from tui.cli.options import METHODS, method_names
from tui.cli.ready import read_when_ready


class Command(TyperCommand):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        read_when_ready(self.params)

    def make_parser(self, *arguments: Any, **more: Any) -> Any:
        return _watched(super().make_parser(*arguments, **more), self.name)

    def get_params(self, ctx: Any) -> Any:
        return _ready(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        for option in self.params:
            if METHODS in (told := getattr(option, "help", None) or ""):
                vars(option)["help"] = told.replace(METHODS, method_names())
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        read_when_ready(self.params)

    def make_parser(self, *arguments: Any, **more: Any) -> Any:
        return _watched(super().make_parser(*arguments, **more), self.name)

    def get_params(self, ctx: Any) -> Any:
        return _ready(super().get_params(ctx))


def _ready(parameters: list[Any]) -> list[Any]:
    """The option `--help` among them, which is not there yet when a command is made."""
    read_when_ready(parameters)
    return _without_types(parameters)


def _without_types(parameters: list[Any]) -> list[Any]:
    """Typer names the type of a switch as if it took a value, and that of an argument beside its `metavar`."""
    for one in parameters:
        if isinstance(one, TyperArgument):
            if one.metavar is not None:
                vars(one)["display_type_rich"] = _no_type
        elif one.is_flag:
            one.metavar = ""
    return parameters


def _no_type(ctx: Any) -> None:
    """In the place of `TyperArgument.display_type_rich`."""


def _watched(parser: Any, command: str | None) -> Any:
    habits.heed(parser, command)
    parse = parser.parse_args

    def parse_args(*arguments: Any, **more: Any) -> Any:
        values, rest, order = parse(*arguments, **more)
        _refuse_repeated(order)
        return values, rest, order

    parser.parse_args = parse_args
    return parser


def _refuse_repeated(order: Iterable[Any]) -> None:
    """Raises:
    UserError: an option stands there twice. `order` has the parameters as they were given.
    """
    given = Counter(id(one) for one in order)
    for option in {id(one): one for one in order}.values():
        takes_one = option.param_type_name == "option" and not (option.multiple or option.is_flag or option.count)
        if takes_one and given[id(option)] > 1:
            raise UserError(f"{option.opts[0]} is given {given[id(option)]} times, and takes one value: keep one.")
