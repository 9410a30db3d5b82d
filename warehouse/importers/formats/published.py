"""The published study, which ships with the program: it is asked for by the word, not by a file."""

from __future__ import annotations

from pathlib import Path

from warehouse.importers.batch import ImportReport
from warehouse.importers.importer import Source, Transfer
from warehouse.importers.published import import_published


def _bring_in(db: Path, source: Source) -> ImportReport:
    return import_published(db)


FORMAT = Transfer(
    name="published",
    title="the figures of Martra 2025, by that word in place of a file",
    recognise=lambda source: source.named == "published",
    bring_in=_bring_in,
)
