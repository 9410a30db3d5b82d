"""Every kind of file that can be imported: ours, each in `warehouse/importers/formats`, and those of other packages."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.errors import UserError
from warehouse.importers.importer import Format, Importer, Source, Transfer
from warehouse.registry import gathered, plugins

GROUP = "prune_tui.importers"
"""The entry points by which another package brings an `Importer`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What lists show of a kind; `package` is whose it is, where it is not ours."""

    name: str
    title: str
    package: str | None = None


def listed() -> list[Listed]:
    """Every kind, without loading other packages' code."""
    ours = [Listed(kind.name, kind.title) for kind in _ours()]
    return ours + [Listed(one.name, one.summary, f"{one.package} {one.version}") for one in plugins(GROUP)]


def importers() -> list[Importer]:
    """Those whose files hold runs: ours first. Loads those of other packages.

    Raises:
        UserError: one of another package cannot be loaded, or has the name of another one.
    """
    kinds = [kind for kind in _ours() if isinstance(kind, Importer)]
    whose = dict.fromkeys((kind.name for kind in _ours()), "of this program's")
    for plugin in plugins(GROUP):
        if plugin.name in whose:
            raise UserError(
                f"{plugin.package} {plugin.version} brings an importer {plugin.name!r}, and there is one "
                f"{whose[plugin.name]}: uninstall {plugin.package}, or have its entry point renamed."
            )
        whose[plugin.name] = f"of {plugin.package}"
        kinds.append(plugin.load(Importer))
    return kinds


def transfer_of(source: Source) -> Transfer | None:
    """The kind that brings this in by itself."""
    return next((kind for kind in _ours() if isinstance(kind, Transfer) and kind.recognise(source)), None)


def importer_of(source: Source, among: list[Importer]) -> Importer | None:
    """Those with the file's suffix are asked, or all where none has it: the first that recognises it has it."""
    candidates = [importer for importer in among if source.suffix in importer.suffixes] or among
    return next((importer for importer in candidates if importer.recognise(source)), None)


def _ours() -> list[Format]:
    return gathered("warehouse.importers.formats", "FORMAT")
