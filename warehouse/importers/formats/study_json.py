"""The study's JSON: `…_complete_results_latest.json` and `…_carbon_complete_results_latest.json`."""

from __future__ import annotations

from warehouse.importers.importer import Importer, Source
from warehouse.importers.study import read_json, run_of


def _recognise(source: Source) -> bool:
    return "models_evaluated" in source.data and "experiment_metadata" in source.data


FORMAT = Importer(
    name="the study's JSON",
    title="scores, speed and energy of one model at all of its levels",
    suffixes=(".json",),
    recognise=_recognise,
    read=lambda source, _: run_of(read_json(source.data), source),
)
