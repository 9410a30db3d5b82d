"""Bundles: what `export --bundle` wrote, from another database."""

from __future__ import annotations

from pathlib import Path

from warehouse.importers.batch import ImportReport
from warehouse.importers.importer import Source, Transfer


def _bring_in(db: Path, source: Source) -> ImportReport:
    from warehouse.importers.bundle import import_bundle

    return import_bundle(db, source.path)


def _is_bundle(source: Source) -> bool:
    from warehouse.importers.bundle import is_bundle  # with all that a bundle needs: the study is asked for by a word

    return is_bundle(source.path)


FORMAT = Transfer(
    name="bundle",
    title="what export --bundle wrote: runs with their documents' answers",
    recognise=_is_bundle,
    bring_in=_bring_in,
)
