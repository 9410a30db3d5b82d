"""Result files in the form of lm-eval 0.4, with the samples that `--log_samples` puts beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.importers.batch import ImportedRun
from warehouse.importers.conditions import adapted, conditions_of, model_args
from warehouse.importers.groups import Groups
from warehouse.importers.samples import Samples, TaskForm, find_samples, read_samples
from warehouse.importers.subject import Measured, Subject
from warehouse.records.facts import MetricFacts, TaskFacts
from warehouse.records.level import level_label
from warehouse.records.questions import combined_hash

READER = 2
"""Counts up where this module comes to read more of a file than it did: one read before is then read again."""

_WRITTEN_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}[-:]\d{2}[-:]\d{2}(?:\.\d+)?$")
_LATEST = 253402300799  # the last second of the year 9999
_MOST = 2**63


def is_results(data: Any) -> bool:
    results = data.get("results") if isinstance(data, dict) else None
    return isinstance(results, dict) and all(isinstance(result, dict) for result in results.values())


@dataclass(slots=True)
class ResultFile:
    """One file, in the form of lm-eval 0.4. `model` is the name of what was measured, `arguments` what loaded it."""

    path: Path
    data: Mapping[str, Any]
    config: Mapping[str, Any] = field(init=False)
    arguments: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.config = self.data.get("config") or {}
        self.arguments = model_args(self.config)

    @property
    def model(self) -> str | None:
        """An adapter is a condition, not a model: lm-eval names its files after it. None where no name is told."""
        pretrained = self.arguments.get("pretrained")
        named = self.data.get("model_name")
        if not self.arguments:
            # Called from Python with a model at hand, lm-eval makes a name up and keeps the model's own elsewhere.
            own = str(self.config.get("model") or "")
            named = own if "/" in own else None if self.data.get("model_source") == "CUSTOM" else named
        name = pretrained if adapted(self.arguments) else named or pretrained or self.arguments.get("model")
        return None if name is None else str(name)

    @property
    def measured(self) -> Measured:
        pretrained = self.arguments.get("pretrained")
        return Measured(
            model=self.model,
            pretrained=None if pretrained is None else str(pretrained),
            parameters=self.parameters,
            revision=self.config.get("model_sha"),
        )

    @property
    def written_at(self) -> str:
        """What the names of the samples' files end in, too."""
        match = _WRITTEN_AT.search(self.path.stem)
        return match[0] if match else self.path.stem.removeprefix("results_")

    @property
    def measured_at(self) -> float:
        """Unix seconds.

        Raises:
            ValueError: the date in the file is none.
        """
        if (date := self.data.get("date")) is not None:
            seconds = float(date)
            if not 0 <= seconds <= _LATEST:
                raise ValueError(f"its date, {str(date)[:40]}, is none")
            return seconds
        if match := _WRITTEN_AT.search(self.path.stem):
            day, _, time = match[0].partition("T")
            return datetime.fromisoformat(f"{day}T{time.replace('-', ':')}").replace(tzinfo=UTC).timestamp()
        return self.path.stat().st_mtime

    @property
    def parameters(self) -> int | None:
        return count_of(self.config.get("model_num_parameters"))


def count_of(value: Any) -> int | None:
    """A number of things; None where lm-eval could not tell (it writes −1, and shares of one, in places)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return None
    return int(value) if value == int(value) else None


def read_results(file: ResultFile, subject: Subject, run_id: str, scratch: Path) -> ImportedRun:
    """One result file as a run of `subject`; `scratch` is a folder that lives until the run is stored.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: not as lm-eval writes them.
    """
    data, config = file.data, file.config
    run = ImportedRun(
        run_id=run_id,
        name=f"lm-eval {subject.model} {level_label(subject.level)}",
        origin="lm-eval",
        source=file.path.name,
        recorded_at=file.measured_at,
        method=subject.method,
        conditions=replace(conditions_of(data), repair=subject.repair),
        folder=scratch / run_id,
        reader=READER,
        about=str(subject),
        file=file.path,
        note=subject.note,
    )
    run.folder.mkdir(exist_ok=True)
    provenance = {
        "versions": {"lm-eval": data.get("lm_eval_version"), "transformers": data.get("transformers_version")},
        "environment": data.get("pretty_env_info"),
        "git_revision": data.get("git_hash"),
        "model": {"name": file.model, "revision": config.get("model_sha") or None},
    }
    run.add("attempt", attempt=1, pid=None, host=None, provenance=provenance)
    run.add_model(**_base(file, subject))
    run.add_level(
        subject.level,
        pruning_pct=subject.pruning_pct,
        method=subject.method or "unknown",
        repair=subject.repair,
        intermediate_size=subject.intermediate_size,
        padded_size=subject.intermediate_size,
        expansion_ratio=subject.expansion_ratio,
        parameters=file.parameters,
    )
    if subject.calibration is not None:
        run.add("calibration", **asdict(subject.calibration), path="")  # it stayed with whoever saved the checkpoint
    _add_cells(run, file, subject.level)
    return run


def _base(file: ResultFile, subject: Subject) -> dict[str, Any]:
    base = {"model": subject.model, "source": file.data.get("model_name")} | dict(subject.base)
    if subject.unpruned:
        base.setdefault("revision", _revision(file))
        base.setdefault("parameters", file.parameters)
    return base


def _revision(file: ResultFile) -> str | None:
    """The commit on the hub, else the branch or tag that was asked for."""
    revision = file.arguments.get("revision") or file.config.get("model_revision")
    return file.config.get("model_sha") or (None if revision in (None, "main") else str(revision))


def _add_cells(run: ImportedRun, file: ResultFile, level: str) -> None:
    data = file.data
    aggregates = data.get("groups") or {}
    groups = Groups.of(data)
    part_of = groups.parents()
    shots = {task: _shots(value) for task, value in (data.get("n-shot") or {}).items()}
    results = data["results"] | aggregates
    counts = {task: _documents(data, task) for task in {*results, *shots}}
    harness = _text(data.get("lm_eval_version"))
    hashes: dict[str, str | None] = {}
    for task in groups.bottom_up(results):
        is_group = task in aggregates or task in groups.parts
        n = counts.get(task)
        if n is None and is_group:
            n = groups.documents(task, counts)
        metrics = _metrics(results[task], (data.get("higher_is_better") or {}).get(task) or {}, n)
        if not metrics:
            continue
        about = {
            "part_of": part_of.get(task),
            "version": _text((data.get("versions") or {}).get(task)),
            "num_fewshot": groups.num_fewshot(task, shots),
        }
        samples = None if is_group else _samples(file, task, metrics)
        if samples is not None:
            hashes[task] = samples.questions_hash
            run.add(
                "task",
                **dict.fromkeys(TaskFacts.__dataclass_fields__)
                | about
                | {"task": task, "n_docs": n, "requests_hash": samples.requests_hash}
                | {"questions_hash": samples.questions_hash},
            )
        if is_group:
            hashes[task] = combined_hash({part: hashes.get(part) for part in groups.tasks(task)})
        stored = None if samples is None else f"{len(run.events)}.parquet"
        if samples is not None and stored is not None:
            samples.write(run.folder / stored)
            run.samples += samples.count
        run.add_cell(
            level=level,
            task=task,
            is_group=is_group,
            metrics=metrics,
            samples=stored,
            questions_hash=hashes.get(task),
            harness_version=harness,
            **about,
        )


def _samples(file: ResultFile, task: str, metrics: list[dict[str, Any]]) -> Samples | None:
    path = find_samples(file.path, task, file.config, file.written_at)
    if path is None:
        return None
    about = (file.data.get("configs") or {}).get(task) or {}
    named = [one["name"] for one in about.get("filter_list") or () if "name" in one]
    samples = read_samples(
        path,
        TaskForm(
            filters=named or list(dict.fromkeys(metric["filter"] for metric in metrics)),
            metrics=list(dict.fromkeys(metric["metric"] for metric in metrics)),
            output_type=about.get("output_type"),
            target_delimiter=" " if (delimiter := about.get("target_delimiter")) is None else str(delimiter),
        ),
    )
    return samples if samples.rows else None


def _documents(data: Mapping[str, Any], task: str) -> int | None:
    counted = (data.get("n-samples") or {}).get(task) or {}
    sample_len = (data["results"].get(task) or {}).get("sample_len")
    return count_of(counted.get("effective") if sample_len is None else sample_len)


def _shots(value: Any) -> int | None:
    """The number of shots; older files may have none.

    Raises:
        ValueError: it is no number of shots.
    """
    if value is None:
        return None
    shots = count_of(value)
    if shots is None or shots >= 2**31:
        raise ValueError(f"{str(value)[:40]} is no number of shots")
    return shots


def _text(value: Any) -> str | None:
    return None if value in (None, "N/A") else str(value)


def _metrics(result: Mapping[str, Any], higher_is_better: Mapping[str, Any], n: int | None) -> list[dict[str, Any]]:
    metrics = []
    for name, value in result.items():
        metric, comma, metric_filter = name.partition(",")
        if not comma or metric.endswith("_stderr") or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        stderr = result.get(f"{metric}_stderr,{metric_filter}")
        metrics.append(
            dict.fromkeys(MetricFacts.__dataclass_fields__)
            | {"metric": metric, "filter": metric_filter, "value": float(value), "n": n}
            | {"stderr": float(stderr) if isinstance(stderr, int | float) else None}
            | {"higher_is_better": higher_is_better.get(metric)}
        )
    return metrics
