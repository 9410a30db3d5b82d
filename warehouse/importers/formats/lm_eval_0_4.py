"""lm-eval 0.4: what `--output_path` has it write, with the samples that `--log_samples` puts beside that."""

from __future__ import annotations

from warehouse.importers.batch import ImportedRun
from warehouse.importers.importer import Context, Importer, NoResults, Source
from warehouse.importers.lm_eval import ResultFile, is_results
from warehouse.importers.lm_eval_run import read_file
from warehouse.importers.older import is_of_0_3, is_of_the_leaderboard


def _recognise(source: Source) -> bool:
    data = source.data
    return is_results(data) and not is_of_0_3(data) and not is_of_the_leaderboard(data)


def _file(source: Source) -> ResultFile:
    return ResultFile(source.path, source.data)


def _read(source: Source, context: Context) -> ImportedRun | NoResults:
    return read_file(_file(source), source, context)


FORMAT = Importer(
    name="lm-eval 0.4",
    title="numbers, groups, and beside them the samples of --log_samples",
    suffixes=(".json",),
    recognise=_recognise,
    read=_read,
    model=lambda source: _file(source).model,
)
