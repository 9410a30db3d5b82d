"""A run as Every Eval Ever's JSON: a record for each width, which is a model of its own, and its documents if wanted.

Schema 0.3.0, https://github.com/evaleval/every_eval_ever.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.errors import UserError
from warehouse.exporters.every_eval_samples import every_eval_samples
from warehouse.read.card_scores import hub_dataset
from warehouse.records.names import pruned_with, short_name
from warehouse.store import answers, db

SCHEMA_VERSION = "0.3.0"
_NOT_TOLD = "unknown"
_ON_HUB = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class EvalRecords:
    """`files` are records by file name; `left_out` says which scores the schema has no place for."""

    files: Mapping[str, str]
    left_out: tuple[str, ...]


def every_eval_records(
    path: Path, run_id: str, *, organization: str | None = None, samples: bool = False, wait: float = 2.0
) -> EvalRecords:
    """Every level of a run. `organization` is who hands the scores on; with `samples` the answers to single documents
    stand in files of their own, beside the records that name them, where the project's data store has them.

    Raises:
        UserError: the run is not there, or has no scores; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        runs = answers.ask(con, "every_eval_run", {"run_id": run_id})
        scores = answers.ask(con, "every_eval_scores", {"run_id": run_id})
    if not runs or not scores:
        raise UserError(f"There are no scores of a run {run_id} to export.")
    now = datetime.now(UTC)
    left_out: list[str] = []
    by_level: dict[str, list[Mapping[str, Any]]] = {}
    for row in scores:
        why = _unfit(row)
        if why:
            left_out.append(f"{row['task']}, {row['metric']}, level {row['level']}: {why}")
        else:
            by_level.setdefault(row["level"], []).append(row)
    files: dict[str, str] = {}
    for rows in by_level.values():
        record = _record(runs[0], rows, organization, now)
        name = f"{_file_name(_model_id(runs[0], rows[0]))}.json"
        if samples:
            found = every_eval_samples(path, run_id, record, rows)
            left_out += found.left_out
            if found.text:
                files[found.path] = found.text
                record["detailed_evaluation_results"] = dict(found.details)
                name = found.path.replace("_samples.jsonl", ".json")
        files[name] = _text(record)
    return EvalRecords(files, tuple(left_out))


def _unfit(row: Mapping[str, Any]) -> str:
    if row["value"] is None or not math.isfinite(row["value"]):
        return "it is no finite number"
    return "it is not known whether more is better" if row["higher_is_better"] is None else ""


def _record(
    run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], organization: str | None, now: datetime
) -> dict[str, Any]:
    first = rows[0]
    model = _model_id(run, first)
    versions = json.loads(run["versions"]) if run["versions"] else {}
    ours = run["origin"] == "run"
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"prune-tui/{model}/{now.timestamp():.0f}",
        "evaluation_timestamp": _epoch(first["evaluated_at"]),
        "retrieved_timestamp": f"{now.timestamp():.0f}",
        "source_metadata": {
            "source_name": "prune-tui",
            "source_type": "evaluation_run" if ours or run["origin"] == "lm-eval" else "documentation",
            "source_organization_name": organization or _NOT_TOLD,
            "evaluator_relationship": "other",
            "additional_details": {"run": run["run_id"], "name": run["name"]},
        },
        "eval_library": {"name": "lm_eval", "version": versions.get("lm-eval") or _NOT_TOLD},
        "model_info": _model(run, first, versions if ours else None),
        "evaluation_results": [_result(run, row) for row in rows],
    }


def _model_id(run: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The model's own, unpruned; a pruned one is another model, and nobody's on the hub."""
    if not row["pruning_pct"]:
        return run["model"] if _ON_HUB.fullmatch(run["model"]) else short_name(run["model"])
    return f"{short_name(run['model'])}-{pruned_with(row['method'], row['repair'])}-{row['pruning_pct']:.4g}pct"


def _model(run: Mapping[str, Any], row: Mapping[str, Any], versions: Mapping[str, Any] | None) -> dict[str, Any]:
    on_hub = _ON_HUB.fullmatch(run["model"]) is not None
    name = short_name(run["model"])
    details = {
        "deployment_type": _NOT_TOLD if versions is None else "self_deployed",
        "model_availability": "open_weights" if on_hub else _NOT_TOLD,
        "base_model": run["model"] if on_hub else name,
        "pruning_pct": f"{row['pruning_pct']:.6g}",
        "method": row["method"] if row["pruning_pct"] else None,
        "repair": row["repair"] if row["pruning_pct"] else None,
        "intermediate_size": row["intermediate_size"],
        "parameters": row["parameters"],
        "dtype": run["dtype"],
        "revision": run["revision"],
    }
    told: dict[str, Any] = {"name": name, "id": _model_id(run, row)}
    if row["pruning_pct"]:
        told["name"] = f"{name}, {row['pruning_pct']:.4g} % of its MLP neurons removed"
    elif on_hub:
        told["developer"] = run["model"].partition("/")[0]
    if versions is not None:
        told["inference_engine"] = {"name": "prune-tui", "version": versions.get("prune-tui") or _NOT_TOLD}
        if (packaged := versions.get("cyllama")) is not None:  # which a run has that llama.cpp computed
            told["inference_engine"] = {"name": "llama.cpp", "version": f"of cyllama {packaged}"}
    return told | {"additional_details": _strings(details)}


def _result(run: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    parts = [row["task"], row["metric"], row["filter"], row["num_fewshot"]]
    uncertainty: dict[str, Any] = {}
    if row["stderr"] is not None and math.isfinite(row["stderr"]):
        uncertainty["standard_error"] = {"value": row["stderr"]}
    if row["n"] is not None:
        uncertainty["num_samples"] = row["n"]
    bounds: dict[str, Any] = {"min_score": None, "max_score": None}  # which the schema wants to be said
    if row["is_share"]:
        bounds = {"metric_unit": "proportion", "min_score": 0, "max_score": 1}
    elif row["is_perplexity"]:
        bounds = {"metric_kind": "perplexity", "min_score": 1, "max_score": "Infinity"}
    return {
        "evaluation_result_id": "/".join("" if part is None else str(part) for part in parts),
        "evaluation_name": row["task"],
        "source_data": _source(row),
        "metric_config": {
            "metric_id": row["metric"],
            "metric_name": row["metric"],
            "lower_is_better": not row["higher_is_better"],
            "score_type": "continuous",
            **bounds,
            "additional_details": _strings({"filter": row["filter"]}),
        },
        "score_details": {"score": row["value"]} | ({"uncertainty": uncertainty} if uncertainty else {}),
        "generation_config": {
            "additional_details": _strings(
                {"num_fewshot": row["num_fewshot"], "task_version": row["version"], "conditions": run["conditions"]}
            )
        },
    }


def _source(row: Mapping[str, Any]) -> dict[str, Any]:
    """On the hub where owner and name are known; of other data sets the task's name has to do."""
    if (found := hub_dataset(row["dataset"])) is not None:
        told: dict[str, Any] = {"dataset_name": found[1], "source_type": "hf_dataset", "hf_repo": found[0]}
        return told | ({} if row["n"] is None else {"samples_number": row["n"]})
    return {"dataset_name": row["task"], "source_type": "other"}


def _strings(told: Mapping[str, Any]) -> dict[str, str]:
    """As the schema wants details: texts, and nothing that is not known."""
    return {name: str(value) for name, value in told.items() if value is not None}


def _epoch(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=UTC).timestamp():.0f}"


def _file_name(model: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", model)


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
