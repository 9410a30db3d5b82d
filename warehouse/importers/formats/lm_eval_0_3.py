"""lm-eval 0.3: numbers without filters, the number of shots in the config."""

from __future__ import annotations

from warehouse.importers.batch import ImportedRun
from warehouse.importers.importer import Context, Importer, NoResults, Source
from warehouse.importers.lm_eval import ResultFile
from warehouse.importers.lm_eval_run import read_file
from warehouse.importers.older import SEEDS, VERSION, is_of_0_3, without_filter


def _file(source: Source) -> ResultFile:
    data, config = source.data, source.data["config"]
    shots = config["num_fewshot"]
    of_today = {
        "results": {task: without_filter(result) for task, result in data["results"].items()},
        "n-shot": dict.fromkeys(data["results"], 0 if shots is None else shots),
        "config": dict(config) | SEEDS,
        "lm_eval_version": VERSION,
    }
    return ResultFile(source.path, data | of_today)


def _read(source: Source, context: Context) -> ImportedRun | NoResults:
    return read_file(_file(source), source, context)


FORMAT = Importer(
    name="lm-eval 0.3",
    title="numbers; shots from the config, filter none, version 0.3",
    suffixes=(".json",),
    recognise=lambda source: is_of_0_3(source.data),
    read=_read,
    model=lambda source: _file(source).model,
)
