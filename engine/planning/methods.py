"""The pruning methods there are: ours and those of other packages, as their files declare them.

A method is one module. Beside its function `scores` it has constants that say what it is, and those are read from the
module's text (`engine.planning.declaration`): nothing of it runs before a worker prunes with it. Ours are the files of
`engine/pruning/methods/`; another package names its own by entry points of the group `GROUP`.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from engine.errors import UserError
from engine.planning.declaration import Declaration, read_declaration, source_of

GROUP = "prune_tui.pruning_methods"
DEFAULT_METHOD = "maw"
_OURS = "engine.pruning.methods"
_OUR_FOLDER = Path(__file__).parents[1] / "pruning" / "methods"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class PruningMethod:
    """A method, the module that has its function, and the package that brought it: None for ours."""

    name: str
    declared: Declaration
    module: str
    package: str | None = None


def pruning_methods() -> list[PruningMethod]:
    """Every method whose declaration can be read: the default, ours by name, those of other packages by name."""
    return sorted(
        (found for _, found in _all() if isinstance(found, PruningMethod)),
        key=lambda one: (one.name != DEFAULT_METHOD, one.package is not None, one.name),
    )


def broken_methods() -> list[str]:
    """What is wrong with the methods of other packages that cannot be read, a sentence for each."""
    return [found for _, found in _all() if isinstance(found, str)]


def find_method(name: str) -> PruningMethod:
    """The method of this name that a run can prune with.

    Raises:
        UserError: there is none, or its declaration cannot be read.
    """
    if name in _our_names():  # without a look at what is installed
        return _read(_our_entry(name))
    among = [found for named, found in _all() if named == name]
    if not among:
        names = ", ".join(method.name for method in pruning_methods())
        raise UserError(f"There is no pruning method '{name}': choose one of {names}.")
    [method] = among
    if isinstance(method, str):
        raise UserError(method)
    return method


def _all() -> Iterator[tuple[str, PruningMethod | str]]:
    """Each name once, with the method or with what is wrong with it."""
    ours = _our_names()
    for name in ours:
        yield name, _read(_our_entry(name))
    brought: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        brought.setdefault(entry.name, []).append(entry)
    for name, entries in brought.items():
        packages = " and ".join(sorted({_package(entry) or "?" for entry in entries}))
        try:
            if name in ours:
                raise ValueError("prune-tui has one of that name")
            if len(entries) > 1:
                raise ValueError("a name can stand for one method")
            if not _NAME.fullmatch(name):
                raise ValueError("a name is lower-case letters, digits, - and _")
            if not entries[0].pattern.match(entries[0].value):
                raise ValueError(f"{entries[0].value} is no module")
            yield name, _read(entries[0])
        except (ValueError, SyntaxError, RecursionError, OSError, ImportError) as error:
            yield name, f"Pruning method '{name}' of {packages} cannot be used ({error}): mend or uninstall it."


def _our_names() -> list[str]:
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules([str(_OUR_FOLDER)]))


def _our_entry(name: str) -> EntryPoint:
    return EntryPoint(name, f"{_OURS}.{name.replace('-', '_')}", GROUP)


def _package(entry: EntryPoint) -> str | None:
    return None if entry.dist is None else entry.dist.name


def _read(entry: EntryPoint) -> PruningMethod:
    """Raises:
    ValueError, SyntaxError, RecursionError, OSError, ImportError: the module is not found, or declares no method.
    """
    return PruningMethod(entry.name, read_declaration(source_of(entry.module)), entry.module, _package(entry))
