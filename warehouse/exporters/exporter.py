"""What an exporter is: a format that delta tables are written in, by its name and the endings of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.errors import UserError
from warehouse.records.names import short_name
from warehouse.registry import gathered

if TYPE_CHECKING:
    from warehouse.read.deltas import Deltas

DEFAULT = "markdown"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is asked for: `wide` has a column for each benchmark, `side_by_side` one for each model, method and
    level; the others are for people's eyes only, stars at
    changes beyond noise and the 95 % interval of each change. `digits` are the decimals of scores, where a format
    rounds them, and `short` has other names for models and benchmarks.
    """

    wide: bool = False
    side_by_side: bool = False
    significance: bool = False
    intervals: bool = False
    digits: int | None = None
    short: Mapping[str, str] = field(default_factory=dict[str, str])

    def called(self, name: str) -> str:
        """The short name of a model or a benchmark; a model's is what follows the slash where none was chosen."""
        return self.short.get(name) or short_name(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """`write` gives text, or bytes where the format is `binary`: no terminal can show that. `side_by_side` says that it
    can write tables laid out so.
    """

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[Deltas, Layout], str | bytes]
    binary: bool = False
    side_by_side: bool = False


@cache
def exporters() -> dict[str, Exporter]:
    """Every format by its name: a module in `warehouse/exporters/formats` each."""
    return {exporter.name: exporter for exporter in gathered("warehouse.exporters.formats", "EXPORTER")}


def exporter_named(name: str) -> Exporter:
    """Raises:
    UserError: there is none of that name.
    """
    if (exporter := exporters().get(name)) is None:
        raise UserError(f"{name} is no format that is written here: there are {_listed('and')}.")
    return exporter


def exporter_of(output: Path | None) -> Exporter:
    """The one whose files' names end so; Markdown where nothing says.

    Raises:
        UserError: the name ends in something that is not written here.
    """
    suffix = output.suffix.lower() if output is not None else ""
    if not suffix:
        return exporters()[DEFAULT]
    exporter = next((one for one in exporters().values() if suffix in one.suffixes), None)
    if exporter is None:
        raise UserError(f"{suffix} is no format that is written here: say --format {_listed('or')}.")
    return exporter


def _listed(last: str) -> str:
    *names, end = exporters()
    return f"{', '.join(names)} {last} {end}"
