"""The study's CSV: a line for each benchmark of each level."""

from __future__ import annotations

from warehouse.importers.importer import Importer, Source
from warehouse.importers.study import read_csv, run_of


def _recognise(source: Source) -> bool:
    header = source.text.split("\n", 1)[0]
    return header.startswith("model,pruning_pct,") and ",task," in header


FORMAT = Importer(
    name="the study's CSV",
    title="scores of one model at all of its levels",
    suffixes=(".csv",),
    recognise=_recognise,
    read=lambda source, _: run_of(read_csv(source.text), source),
)
