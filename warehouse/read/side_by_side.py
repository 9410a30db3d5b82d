"""Models or methods side by side, as the queries of Compare tell it: a dataclass for each, with the query's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Matched:
    """A row of `matrix_matched`: a benchmark of one model at a percentage, or a ratio, that others have, too."""

    basis: str
    basis_value: float
    benchmark: str
    metric: str
    model: str
    method: str
    repair: str
    value: float
    delta_pct: float | None
    delta: float | None
    improved: bool | None
    verdict: str | None
    p_value: float | None
    ci_low_pct: float | None
    ci_high_pct: float | None
    delta_stderr: float | None
    stderr: float | None
    chance: float | None
    rank: int
    pruning_pct: float
    expansion_ratio: float | None
    intermediate_size: int | None
    parameters: int | None
    unpruned: bool
    kind: str
    task: str
    filter: str
    num_fewshot: int | None
    version: str | None
    higher_is_better: bool | None
    position: int
    conditions: str | None
    model_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class LevelScore:
    """A row of `matrix_levels`: one width of a model over all its benchmarks."""

    model: str
    method: str
    repair: str
    pruning_pct: float
    level: str
    intermediate_size: int | None
    expansion_ratio: float | None
    parameters: int | None
    parameters_pct: float | None
    retained_pct: float | None
    benchmarks: int
    improved: int
    worst_benchmark: str | None
    worst_retained_pct: float | None
    left_out: str | None
    unpruned: bool
    conditions: str | None
    model_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class Improvement:
    """A row of `matrix_improvements`: a benchmark that is better at every pruned width of a model."""

    model: str
    method: str
    repair: str
    benchmark: str
    metric: str
    levels: int
    baseline: float
    smallest_delta_pct: float
    largest_delta_pct: float
    largest_at_pct: float
    clear: int
    tested: int
    conditions: str | None
    model_id: str
    subject: str


@dataclass(frozen=True, slots=True)
class LossTest:
    """One metric of two subjects at one width, and which of them loses more by a test.

    What both lose is a change in percent of the unpruned score; of damage it is the value itself, as `measure` says.
    """

    benchmark: str
    metric: str
    first_method: str
    first_repair: str
    second_method: str
    second_repair: str
    measure: Literal["percent", "value"]
    first_amount: float
    second_amount: float
    difference: float
    stderr: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_kind: str | None
    p_holm: float | None
    loses_more: Literal["first", "second", "noise"] | None
    pairs: int | None
    first_only: int | None
    second_only: int | None
    unpaired_because: str | None
    higher_is_better: bool | None
    task: str
    filter: str
    num_fewshot: int | None
    version: str | None
    position: int


@dataclass(frozen=True, slots=True)
class PairTest(LossTest):
    """A row of `matrix_tests`: two of the chosen subjects."""

    basis_value: float
    first_model: str
    second_model: str
    first_pruning_pct: float
    second_pruning_pct: float
    conditions: str | None
    first_id: str
    second_id: str
    first_subject: str
    second_subject: str


@dataclass(frozen=True, slots=True)
class BestLevel:
    """A row of `matrix_best`: the best level of a subject by the rule in use, and why; none has no percentage."""

    model: str
    method: str
    repair: str
    pruning_pct: float | None
    score: float | None
    score_stderr: float | None
    unit: str | None
    why: str
    rule: str
    retained_pct: float | None
    parameters_pct: float | None
    benchmarks: int | None
    improved: int | None
    worst_benchmark: str | None
    worst_retained_pct: float | None
    second_pct: float | None
    second_score: float | None
    clear_of_second: bool | None
    intermediate_size: int | None
    expansion_ratio: float | None
    parameters: int | None
    conditions: str | None
    model_id: str
    subject: str
