"""Result files as `lm_eval --output_path` writes them, with the samples that `--log_samples` puts beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.imports.batch import ImportedRun
from warehouse.per_document import per_document
from warehouse.records.facts import MetricFacts, ModelFacts, TaskFacts, VariantFacts

_SAMPLES = {
    "doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
    "response": pl.String, "terms": pl.List(pl.Float64),
}  # fmt: skip


def is_results(data: Any) -> bool:
    results = data.get("results") if isinstance(data, dict) else None
    return isinstance(results, dict) and all(isinstance(result, dict) for result in results.values())


def read_results(
    data: Mapping[str, Any],
    path: Path,
    run_id: str,
    scratch: Path,
    *,
    model: str | None = None,
    level: float = 0.0,
    method: str | None = None,
) -> ImportedRun:
    """One result file as a run; `scratch` is a folder that lives until the run is stored.

    The file does not say how far its model was pruned: `level` (percent) and `method` do, and `model` names the
    unpruned model, so that its levels find each other; left out, it is the name in the file.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: not as lm-eval writes them.
    """
    config = data.get("config") or {}
    name = model or data.get("model_name") or _model_of(config)
    run = ImportedRun(
        run_id=run_id,
        name=f"lm-eval {name} {level:g}%",
        origin="lm-eval",
        source=path.name,
        recorded_at=float(data.get("date") or path.stat().st_mtime),
        method=method,
        conditions=_conditions(data, config),
        folder=scratch,
    )
    versions = {
        "versions": {"lm-eval": data.get("lm_eval_version"), "transformers": data.get("transformers_version")},
        "environment": data.get("pretty_env_info"),
        "git_revision": data.get("git_hash"),
    }
    run.add("attempt", attempt=1, pid=None, host=None, provenance=versions)
    parameters = config.get("model_num_parameters")
    run.add(
        "model",
        **dict.fromkeys(ModelFacts.__dataclass_fields__)
        | {"model": name, "source": data.get("model_name"), "revision": config.get("model_sha") or None}
        | {"parameters": parameters if level == 0 else None},
    )
    run.add(
        "variant",
        **dict.fromkeys(VariantFacts.__dataclass_fields__)
        | {"level": f"{level:g}", "pruning_pct": level, "method": method or "unknown", "parameters": parameters},
    )
    _add_cells(run, data, path, scratch, f"{level:g}")
    return run


def _add_cells(run: ImportedRun, data: Mapping[str, Any], path: Path, scratch: Path, level: str) -> None:
    groups = data.get("groups") or {}
    part_of = {part: group for group, parts in (data.get("group_subtasks") or {}).items() for part in parts}
    counts = data.get("n-samples") or {}
    results = (data["results"] or {}) | groups
    tasks: list[dict[str, Any]] = []
    for task, result in sorted(results.items(), key=lambda found: _height(found[0], part_of)):
        n = result.get("sample_len") or counts.get(task, {}).get("effective")
        metrics = _metrics(result, (data.get("higher_is_better") or {}).get(task) or {}, n)
        if not metrics:
            continue
        version = (data.get("versions") or {}).get(task)
        about = {
            "part_of": part_of.get(task),
            "version": None if version in (None, "N/A") else str(version),
            "num_fewshot": (data.get("n-shot") or {}).get(task),
        }
        if samples := _read_samples(path, task):
            asked = {"task": task, "n_docs": counts.get(task, {}).get("effective"), "requests_hash": _asked(samples)}
            tasks.append(dict.fromkeys(TaskFacts.__dataclass_fields__) | about | asked)
        run.add_cell(
            level=level,
            task=task,
            is_group=task in groups,
            metrics=metrics,
            samples=_store_samples(path, task, samples, scratch) if samples else None,
            **about,
        )
    # After the cells, whose numbers stay those of an import by an earlier version, which had none of these.
    for facts in tasks:
        run.add("task", **facts)


def _height(task: str, part_of: Mapping[str, str]) -> int:
    """Tasks before the groups that they are parts of, and these before theirs, as in runs of our own."""
    depth = 0
    while (task := part_of.get(task, "")) and depth < len(part_of):
        depth += 1
    return -depth


def _metrics(result: Mapping[str, Any], higher_is_better: Mapping[str, Any], n: int | None) -> list[dict[str, Any]]:
    found = []
    for name, value in result.items():
        metric, comma, metric_filter = name.partition(",")
        if not comma or metric.endswith("_stderr") or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        stderr = result.get(f"{metric}_stderr,{metric_filter}")
        found.append(
            dict.fromkeys(MetricFacts.__dataclass_fields__)
            | {"metric": metric, "filter": metric_filter, "value": float(value), "n": n}
            | {"stderr": float(stderr) if isinstance(stderr, int | float) else None}
            | {"higher_is_better": higher_is_better.get(metric)}
        )
    return found


def _conditions(data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """In the words of our own runs, so that like is compared with like."""
    limit = config.get("limit")
    parts = ["all documents" if limit is None else f"limit {float(limit):g}"]
    if dtype := config.get("model_dtype"):
        parts.append(str(dtype).removeprefix("torch."))
    parts.append(f"seed {config.get('random_seed') or 0}")
    if data.get("chat_template"):
        parts.append("chat template")
    if data.get("fewshot_as_multiturn"):
        parts.append("multi-turn shots")
    if data.get("system_instruction"):
        parts.append(f"system instruction {json.dumps(data['system_instruction'], ensure_ascii=False)}")
    return ", ".join(parts)


def _model_of(config: Mapping[str, Any]) -> str:
    arguments = config["model_args"]
    if isinstance(arguments, str):
        arguments = dict(part.split("=", 1) for part in arguments.split(",") if "=" in part)
    return arguments["pretrained"]


def _read_samples(path: Path, task: str) -> list[dict[str, Any]]:
    """The task's samples, if lm-eval wrote them beside the results."""
    written_at = path.stem.removeprefix("results_")
    source = path.with_name(f"samples_{task}_{written_at}.jsonl")
    if not source.is_file():
        return []
    with source.open(encoding="utf-8") as file:
        return [_sample(line, f"{source.name}, line {number}") for number, line in enumerate(file, 1)]


def _sample(line: str, where: str) -> dict[str, Any]:
    try:
        sample = json.loads(line)
        return {
            "rows": list(_sample_rows(sample)),
            "asked": (sample["doc_id"], *map(sample.get, ("doc_hash", "prompt_hash", "target_hash"))),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: {error!r}") from error


def _asked(samples: Iterable[Mapping[str, Any]]) -> str | None:
    """A hash of what was asked: every document, its prompt and its answer. Older files have no hashes of these."""
    asked = sorted({sample["asked"] for sample in samples}, key=repr)
    if any(None in one for one in asked):
        return None
    return "lm-eval " + sha256(json.dumps(asked).encode()).hexdigest()


def _store_samples(path: Path, task: str, samples: Iterable[Mapping[str, Any]], scratch: Path) -> str:
    """A Parquet file in `scratch`."""
    name = f"{path.stem}-{task}.parquet"
    rows = [row for sample in samples for row in sample["rows"]]
    pl.DataFrame(rows, schema=_SAMPLES, orient="row").write_parquet(scratch / name)
    return name


def _sample_rows(sample: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    answer = _response(sample["filtered_resps"])
    response = None if answer is None else json.dumps(answer, ensure_ascii=False)
    for metric in sample.get("metrics") or []:
        adds = per_document(metric, sample.get(metric))
        yield sample["doc_id"], sample["filter"], metric, adds.value, adds.weight, response, adds.terms


def _response(answers: Any) -> int | str | None:
    """The generated text, or the index of the likeliest choice; None where there was nothing to choose."""
    if len(answers) == 1 and isinstance(answers[0], str) and _number(answers[0]) is None:
        return answers[0]
    if len(answers) < 2 or not all(isinstance(answer, list) and answer for answer in answers):
        return None
    likelihoods = [_number(answer[0]) for answer in answers]
    if any(likelihood is None or math.isnan(likelihood) for likelihood in likelihoods):
        return None
    return max(range(len(likelihoods)), key=lambda i: likelihoods[i] or -math.inf)


def _number(value: Any) -> float | None:
    if isinstance(value, list | dict) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None
