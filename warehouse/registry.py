"""Where one file adds one thing, and where another package does.

Of another package's thing everything that lists show is its package's metadata: none of its code is loaded for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeVar

from warehouse.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = TypeVar("Kind")


def gathered(package: str, name: str) -> list[Any]:
    """What every module of the package calls `name`, in the order of the modules' names.

    Raises:
        AttributeError: a module has nothing of that name.
    """
    modules = sorted(module.name for module in iter_modules(import_module(package).__path__))
    return [getattr(import_module(f"{package}.{module}"), name) for module in modules]


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point of another package: its name there, and the name, version and summary of the package."""

    name: str
    package: str
    version: str
    summary: str
    entry: EntryPoint

    def load(self, kind: type[Kind]) -> Kind:
        """The thing itself. Runs the package's code.

        Raises:
            UserError: it cannot be loaded, or is something else.
        """
        try:
            found = self.entry.load()
        except Exception as error:  # other people's code
            raise self._refused(f"cannot be loaded ({type(error).__name__}: {error})") from error
        if not isinstance(found, kind):
            raise self._refused(f"is {type(found).__name__}, not {kind.__name__}")
        return found

    def _refused(self, why: str) -> UserError:
        return UserError(
            f"{self.name}, which the package {self.package} {self.version} brings ({self.entry.value}), {why}: "
            f"mend that package, or uninstall it."
        )


def plugins(group: str) -> list[Plugin]:
    """What other packages bring, by name."""
    from importlib.metadata import entry_points

    found = []
    for entry in entry_points(group=group):
        assert entry.dist is not None  # entry points are read from distributions
        about = entry.dist.metadata
        found.append(Plugin(entry.name, about["Name"], entry.dist.version, about["Summary"] or "", entry))
    return sorted(found, key=lambda plugin: (plugin.name, plugin.package))
