"""Commands that are imported when they are called are those that they would be anyway."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest
import typer
from typer._coercion import TypeDescriptor, build_runtime_param
from typer.models import OptionInfo

from tui.cli.app import Commands
from tui.cli.lazy import Place
from tui.cli.ready import ReadyParam

PLACES = Commands.places.items()


@pytest.mark.parametrize(("name", "place"), PLACES, ids=dict(PLACES))
def test_a_place_has_the_command_and_its_help(name: str, place: Place):
    command = place.command(name)
    function = getattr(import_module(place.module), place.function)
    assert command.name == name
    assert command.help == inspect.getdoc(function) == place.help()


def test_a_place_that_has_no_such_function_is_no_command():
    with pytest.raises(LookupError, match=r"no nothing in tui\.cli\.run"):
        Place("tui.cli.run", "nothing", "Measure").help()


VALUES = [
    (str, "text"), (str, ""), (str, " 3 "), (str, "\udcff"), (Path, "a/b"), (Path, ""), (Path, "~"),
    (Path, Path("results.duckdb")), (int, "3"), (int, "3.5"), (int, 7), (float, 30), (float, "1e3"), (float, "nan"),
    (float, "ten"), (bool, "yes"), (list[str], ("a", "b")), (list[str], ()), (list[Path], ("a", Path("b"))),
    (list[int], ("1", "x")), (Literal["csv", "json"], "csv"), (Literal["csv", "json"], "CSV"), (str, None),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=repr)
def test_a_value_is_read_as_typer_reads_it(annotation: Any, value: Any):
    def read(param: Any) -> Any:
        try:
            return param.coerce(value, param=_Param(), ctx=None)
        except typer.BadParameter as error:
            return str(error.format_message())

    described = TypeDescriptor(annotation=annotation, parameter_info=OptionInfo(), file_annotation=None)
    ours = read(ReadyParam(described.parameter_info, annotation, described))
    theirs = read(build_runtime_param(described))
    assert repr(ours) == repr(theirs)


class _Param:
    """What reading a value asks of its parameter."""

    multiple = False
    nargs = 1

    def get_error_hint(self) -> str:
        return "it"
