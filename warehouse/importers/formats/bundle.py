"""Bundles: what `export --bundle` wrote, from another database."""

from __future__ import annotations

from pathlib import Path

from warehouse.importers.batch import ImportReport
from warehouse.importers.bundle import import_bundle, is_bundle
from warehouse.importers.importer import Source, Transfer


def _bring_in(db: Path, source: Source) -> ImportReport:
    return import_bundle(db, source.path)


FORMAT = Transfer(
    name="bundle",
    title="what export --bundle wrote: runs with their documents' answers",
    recognise=lambda source: is_bundle(source.path),
    bring_in=_bring_in,
)
