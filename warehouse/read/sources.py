"""What a number came from, as the database has it: a dataclass for each query, with the query's columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Number:
    """A row of `why_cells`: a current number, and everything that tells it from the others."""

    model: str
    model_id: str
    method: str
    repair: str
    conditions: str | None
    base_conditions: str | None
    calibration: str | None
    level: str
    pruning_pct: float
    intermediate_size: int | None
    expansion_ratio: float | None
    unpruned: bool
    task: str
    benchmark: str
    part_of: str | None
    is_group: bool
    num_fewshot: int | None
    version: str | None
    metric: str
    filter: str
    value: float
    stderr: float | None
    n: int | None
    higher_is_better: bool | None
    origin: str
    run_id: str
    seq: int
    recorded_at: datetime
    footnote: str | None


@dataclass(frozen=True, slots=True)
class BaselineNumber:
    """A row of `why_baseline`: where a baseline differs from the unpruned number that is current."""

    run_id: str
    seq: int
    value: float
    stderr: float | None
    n: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class NamedWidth:
    """A row of `why_levels`: a level that some run asked for a width by."""

    model_id: str
    intermediate_size: int | None
    pruning_pct: float
    level: str


@dataclass(frozen=True, slots=True)
class RunSource:
    """A row of `why_run`: the run as it stood when it measured the number."""

    run_id: str
    name: str
    origin: str
    conditions: str | None
    dtype: str | None
    plan: str | None
    planned_at: datetime
    attempt: int | None
    attempted_at: datetime | None
    pid: int | None
    host: str | None
    provenance: str | None
    model: str | None
    model_id: str | None
    source: str | None
    revision: str | None
    weights_hash: str | None
    config_hash: str | None
    tokenizer_hash: str | None
    model_parameters: int | None
    merged_at: datetime | None
    journal_end: int | None


@dataclass(frozen=True, slots=True)
class CellSource:
    """A row of `why_cell`: the cell, its width and its task."""

    level: str
    task: str
    part_of: str | None
    is_group: bool
    seconds: float | None
    samples: str | None
    method: str | None
    repair: str | None
    pruning_pct: float | None
    intermediate_size: int | None
    padded_size: int | None
    expansion_ratio: float | None
    parameters: int | None
    task_version: str | None
    output_type: str | None
    task_shots: int | None
    n_docs: int | None
    n_requests: int | None
    dataset: str | None
    dataset_fingerprint: str | None
    requests_hash: str | None
    harness_version: str | None
    questions_hash: str | None
    tokens_hash: str | None
    calibration_source: str | None
    calibration_tokens: int | None
    calibration_length: int | None
    calibration_seed: int | None
    calibration_hash: str | None
    calibration_path: str | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A row of `why_measured`: one time that the number was measured."""

    run_id: str
    name: str
    origin: str
    seq: int
    level: str
    value: float
    stderr: float | None
    n: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PartNumber:
    """A row of `why_parts`: where a part's number differs from its group's."""

    task: str
    value: float
    stderr: float | None
    n: int | None
    seq: int
    is_group: bool
    num_fewshot: int | None
    version: str | None


@dataclass(frozen=True, slots=True)
class BundleNote:
    """A row of `bundle_notes`: a bundle that the run came in."""

    recorded_at: datetime
    file: str
    fingerprint: str | None
