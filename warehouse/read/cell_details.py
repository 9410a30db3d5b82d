"""What is behind one cell, as its queries tell it: all of its metrics, the documents that flipped, a run's verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class CellMetric:
    """A row of `cell_metrics`: one metric of a task, or of a part of it, at one width."""

    task: str
    metric: str
    filter: str
    value: float
    stderr: float | None
    baseline: float | None
    baseline_stderr: float | None
    delta: float | None
    delta_pct: float | None
    improved: bool | None
    delta_stderr: float | None
    stderr_kind: str | None
    ci_low: float | None
    ci_high: float | None
    ci_low_pct: float | None
    ci_high_pct: float | None
    p_value: float | None
    p_kind: str | None
    p_holm: float | None
    verdict: str | None
    factor: float | None
    factor_low: float | None
    factor_high: float | None
    log_stderr: float | None
    pairs: int | None
    lost: int | None
    gained: int | None
    agreement: float | None
    n: int | None
    version: str | None
    num_fewshot: int | None
    run_id: str
    seq: int
    baseline_run_id: str | None
    recorded_at: datetime
    conditions: str | None
    kind: str
    intermediate_size: int | None
    expansion_ratio: float | None
    parameters: int | None


@dataclass(frozen=True, slots=True)
class Flip:
    """A row of `cell_flips`: a document whose score is not the unpruned model's. The counts are of all documents."""

    task: str
    doc_id: int
    before: float
    after: float
    answer_before: Any
    answer_after: Any
    changed: int
    rose: int
    fell: int
    documents: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A row of `cell_documents`: a document's score, and that of another level; None where that did not score it."""

    task: str
    doc_id: int
    before: float | None
    after: float | None
    answer_before: Any
    answer_after: Any

    @property
    def flipped(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """A row of `run_verdicts`: a tested change, under the level's name in its run."""

    level: str
    task: str
    metric: str
    filter: str
    delta: float | None
    improved: bool | None
    verdict: str | None
    p_value: float | None
    ci_low: float | None
    ci_high: float | None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class RunModel:
    """A row of `run_model`."""

    model_id: str
