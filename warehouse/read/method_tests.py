"""Methods, repairs and calibrations of one model against each other, as the view `method_tests` has them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.read.side_by_side import LossTest
from warehouse.store import answers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class MethodTest(LossTest):
    """A row of `method_tests`: two methods, repairs or calibrations of one model."""

    model: str
    model_id: str
    pruning_pct: float
    first_conditions: str | None
    second_conditions: str | None


def read_method_tests(con: DuckDBPyConnection, model_ids: Collection[str]) -> list[MethodTest]:
    return answers.read(con, "method_test_rows", MethodTest, {"model_ids": list(model_ids)})
