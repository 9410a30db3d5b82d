"""The study's own result files: `…_complete_results_latest.json`, `…_carbon_complete_results_latest.json` and CSV.

Its notebooks renamed some of lm-eval's metrics (`accuracy` for `acc`) and filled others that they had not measured
with `N/A` or 0.0; here they get lm-eval's names back, and the fillers are left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from statistics import fmean, stdev
from typing import Any

from warehouse.importers import published
from warehouse.importers.batch import ImportedRun
from warehouse.importers.importer import Source
from warehouse.records.measurements import MeasurementFacts
from warehouse.records.names import short_name
from warehouse.stats.metrics import higher_is_better
from warehouse.text import counted

_RENAMED = {"accuracy": "acc,none", "acc_norm": "acc_norm,none", "perplexity": "perplexity,none"}
_FILLERS = {"word_perplexity", "bits_per_byte"}  # without a filter: always 0.0 there
_SHOTS = {"mmlu": 5, "gsm8k": 5}  # what the study used; its CSV files do not say
_PRUNED = re.compile(r"-pruned-\d+(pct|%)$")

# Quantities of a whole request, of which each level wrote another number of tokens.
_OF_OTHER_TOKENS = ("ttlt", "energy_kwh")
_QUIRK = (
    "counts whatever number of tokens the level wrote before it stopped (new_tokens): compare tokens per second and "
    "joules per token between levels, not this"
)
_QUANTITIES = {
    "throughput": "tokens/s",
    "ttlt": "ms",
    "joules_per_token": "J/token",
    "energy_kwh": "kWh",
}


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one task under lm-eval's names."""

    task: str
    metric: str
    filter: str
    value: float
    stderr: float | None
    num_fewshot: int


@dataclass(slots=True)
class StudyFile:
    """What one file holds: scores and measurements by pruning percentage, of one unpruned model."""

    model: str
    method: str | None
    device: str | None
    recorded_at: float | None
    scores: dict[float, list[Score]] = field(default_factory=dict)
    measurements: dict[float, list[MeasurementFacts]] = field(default_factory=dict)


def read_json(data: Mapping[str, Any]) -> StudyFile:
    """Raises:
    KeyError, TypeError, ValueError: the file is not as the study's are.
    """
    about = data["experiment_metadata"]
    hardware = about.get("hardware") or {"device": about.get("hardware_details", {}).get("gpu_model")}
    shots = {benchmark["name"]: benchmark.get("num_fewshot") for benchmark in data["benchmarks"]}
    entries = list(data["models_evaluated"].values())
    study = StudyFile(
        model=_base_name(entries, about["model_family"]),
        method=str(about["pruning_method"]).split()[0].lower(),
        device=hardware.get("device"),
        recorded_at=datetime.fromisoformat(about["timestamp"]).replace(tzinfo=UTC).timestamp(),
    )
    for entry in entries:
        pct = float(entry["pruning_pct"])
        for task, results in entry["results"].items():
            if shots.get(task) is None:
                study.measurements.setdefault(pct, []).extend(_measurements(task, results))
            else:
                study.scores.setdefault(pct, []).extend(_scores(task, results, shots[task]))
    return study


def read_csv(text: str) -> StudyFile:
    """Raises:
    KeyError, ValueError: the file is not as the study's are.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        raise ValueError("it has no rows")
    unpruned = [row["model"] for row in rows if float(row["pruning_pct"]) == 0]
    study = StudyFile(
        model=unpruned[0] if unpruned else _PRUNED.sub("", rows[0]["model"]),
        method="maw",
        device=None,
        recorded_at=None,
    )
    for row in rows:
        about = ("model", "pruning_pct", "is_star", "task")
        results = {name: value for name, value in row.items() if name not in about and value not in ("", None)}
        scores = _scores(row["task"], results, _SHOTS.get(row["task"], 0))
        study.scores.setdefault(float(row["pruning_pct"]), []).extend(scores)
    return study


def _base_name(entries: Iterable[Mapping[str, Any]], family: str) -> str:
    """The unpruned model's name on the hub, where the file agrees with itself on it (one names another model's)."""
    for entry in entries:
        if entry["pruning_pct"] == 0 and short_name(entry["hf_repo"]) == entry["name"]:
            return entry["hf_repo"]
    return family


def _scores(task: str, results: Mapping[str, Any], num_fewshot: int) -> list[Score]:
    named = {_RENAMED.get(name, name): value for name, value in results.items() if name not in _FILLERS}
    scores = []
    for name, value in named.items():
        metric, _, metric_filter = name.partition(",")
        if metric.endswith("_stderr") or value in ("N/A", None):
            continue
        stderr = named.get(f"{metric}_stderr,{metric_filter}")
        scores.append(
            Score(task, metric, metric_filter, float(value), None if stderr is None else float(stderr), num_fewshot)
        )
    return scores


def _measurements(workload: str, results: Mapping[str, Any]) -> list[MeasurementFacts]:
    about: dict[str, Any] = {
        "workload": workload,
        "batch_size": results["batch_size"],
        "n": results["num_runs_aggregated"],
    }
    measurements = []
    for quantity, unit in _QUANTITIES.items():
        mean = results[f"{quantity}_mean"]
        if mean is not None:
            spread = {of: results[f"{quantity}_{of}"] for of in ("std", "min", "max")}
            note = _QUIRK if quantity in _OF_OTHER_TOKENS else None
            measurements.append(MeasurementFacts(quantity=quantity, unit=unit, mean=mean, note=note, **spread, **about))
    tokens = [run["total_new_tokens"] for run in results["raw_runs_data"].values()]
    measurements.append(
        MeasurementFacts(
            quantity="new_tokens", unit="tokens", mean=fmean(tokens),
            std=stdev(tokens) if len(tokens) > 1 else 0.0, min=min(tokens), max=max(tokens), **about,
        )
    )  # fmt: skip
    size = results.get("model_size_gb")
    if size is not None:  # what torch had allocated once the model was loaded; its GB are 2^30 bytes
        once: dict[str, Any] = {**about, "n": 1}
        measurements.append(MeasurementFacts(quantity="weights", unit="bytes", mean=size * 2**30, **once))
    return measurements


def run_of(study: StudyFile, source: Source) -> ImportedRun:
    """What was read from the file, as a run."""
    method = study.method or "unknown"
    levels = {*study.scores, *study.measurements}
    run = ImportedRun(
        run_id=f"study-{source.digest(None, 0.0, None)}",
        name=source.path.name,
        origin="study",
        source=source.path.name,
        recorded_at=study.recorded_at or source.path.stat().st_mtime,
        method=method,
        conditions=published.conditions(study.device),
        about=f"{published.hub_name(study.model)}, {counted(len(levels), 'level')}",
        file=source.path,
    )
    published.add_shapes(run, published.hub_name(study.model), method, levels)
    _add_cells(run, study)
    return run


def _add_cells(run: ImportedRun, study: StudyFile) -> None:
    for pct, scores in study.scores.items():
        cells: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
        for score in scores:
            cells[score.task, score.num_fewshot].append(
                {
                    "metric": score.metric,
                    "filter": score.filter,
                    "value": score.value,
                    "stderr": score.stderr,
                    "higher_is_better": higher_is_better(score.metric),
                }
            )
        for (task, num_fewshot), metrics in cells.items():
            run.add_cell(level=f"{pct:g}", task=task, num_fewshot=num_fewshot, metrics=metrics)
    if study.measurements and study.device is not None:
        run.add("machine", **published.machine(study.device))
    for pct, measurements in study.measurements.items():
        run.add("measured", level=f"{pct:g}", measurements=[asdict(one) for one in measurements])
