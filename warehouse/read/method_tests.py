"""Methods, repairs and calibrations of one model against each other, as the view `method_tests` has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from warehouse.store import answers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class MethodTest:
    """One metric of two methods at one percentage; amounts and their difference are in percent of the unpruned score,
    or of damage in its own unit, as `measure` says.
    """

    model: str
    pruning_pct: float
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
    first_conditions: str | None
    second_conditions: str | None
    model_id: str


def read_method_tests(con: DuckDBPyConnection, model_ids: Collection[str]) -> list[MethodTest]:
    return answers.read(con, "method_test_rows", MethodTest, {"model_ids": list(model_ids)})
