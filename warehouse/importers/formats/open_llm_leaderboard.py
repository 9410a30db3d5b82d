"""The first Open LLM Leaderboard: its tasks are named `harness|arc:challenge|25`."""

from __future__ import annotations

from warehouse.importers.batch import ImportedRun
from warehouse.importers.importer import Context, Importer, NoResults, Source
from warehouse.importers.lm_eval import ResultFile
from warehouse.importers.lm_eval_run import read_file
from warehouse.importers.older import LEADERBOARD_TASK, SEEDS, VERSION, is_of_the_leaderboard, without_filter


def _file(source: Source) -> ResultFile:
    data, about = source.data, source.data["config_general"]
    matches = {name: match for name in data["results"] if (match := LEADERBOARD_TASK.fullmatch(name))}
    tasks = {name: match["task"].replace(":", "_") for name, match in matches.items()}
    versions = data.get("versions") or {}
    of_today = {
        "results": {task: without_filter(data["results"][name]) for name, task in tasks.items()},
        "n-shot": {tasks[name]: int(match["shots"]) for name, match in matches.items()},
        "versions": {task: versions.get(name) for name, task in tasks.items()},
        "config": {
            "model": "hf",
            "model_args": {"pretrained": about["model_name"]},
            "model_sha": about.get("model_sha"),
            "model_dtype": about.get("model_dtype"),
            "limit": about.get("max_samples"),
        }
        | SEEDS,
        "lm_eval_version": VERSION,
    }
    return ResultFile(source.path, of_today)


def _read(source: Source, context: Context) -> ImportedRun | NoResults:
    return read_file(_file(source), source, context)


FORMAT = Importer(
    name="first Open LLM Leaderboard",
    title="numbers; task arc_challenge and 25 shots from harness|arc:challenge|25",
    suffixes=(".json",),
    recognise=lambda source: is_of_the_leaderboard(source.data),
    read=_read,
    model=lambda source: _file(source).model,
)
