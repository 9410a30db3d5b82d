"""rule_levels on rows of delta_statistics and current_rules by hand: each case is a model of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from by_hand import fill, stand_in

from warehouse.store.answers import records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Case = Sequence[Mapping[str, Any]]
_ABOUT = {
    "piqa": ("PIQA", 6, "score"), "boolq": ("BoolQ", 5, "score"), "mmlu": ("MMLU", 1, "score"),
    "wikitext": ("WikiText", 12, "perplexity"), "mine": ("mine", 1000, "score"),
}  # fmt: skip


def change(task: str, value: float, baseline: float = 0.5, *, pct: float = 20, **about: Any) -> dict[str, Any]:
    """A row of delta_statistics: of a model with 1000 parameters, half of them left."""
    benchmark, position, kind = _ABOUT[task]
    return {
        "task": task, "benchmark": benchmark, "position": position, "kind": kind, "value": value, "baseline": baseline,
        "delta": value - baseline, "improved": value > baseline, "higher_is_better": kind == "score",
        "pruning_pct": float(pct), "intermediate_size": 100 - int(pct), "is_headline": True, "model": "org/M",
        "method": "maw", "repair": "none", "parameters": 500, "baseline_parameters": 1000, "expansion_ratio": 2.0,
        "metric": "acc",
    } | about  # fmt: skip


def weights(**of: float) -> list[dict[str, Any]]:
    return [{"benchmark": {"all_": "*"}.get(name, name), "weight": float(weight)} for name, weight in of.items()]


def floor(benchmark: str, measure: str, at_least: float | None = None, at_most: float | None = None) -> dict[str, Any]:
    return {"benchmark": benchmark, "measure": measure, "at_least": at_least, "at_most": at_most}


def rule(measure: str = "share", *floors: dict[str, Any], prefer: str = "score", **of: float) -> dict[str, Any]:
    return {"in_use": False, "prefer": prefer, "measure": measure, "weights": weights(**of) or None,
            "floors": list(floors) or None}  # fmt: skip


class Levels:
    def __init__(self, con: DuckDBPyConnection) -> None:
        self.con = con
        for view in ("delta_statistics", "current_rules"):
            stand_in(con, view)

    def judge(self, *told: tuple[Mapping[str, Any], Case]) -> list[list[dict[str, Any]]]:
        """The levels of each case's model under its rule, from the least pruned down."""
        fill(self.con, "current_rules", [{**one, "rule": f"rule-{at}"} for at, (one, _) in enumerate(told)])
        changes = [{"model_id": f"m{at}", **row} for at, (_, case) in enumerate(told) for row in case]
        fill(self.con, "delta_statistics", changes)
        found = records(
            self.con.execute("from rule_levels where replace(rule, 'rule-', 'm') = model_id order by pruning_pct")
        )
        return [[row for row in found if row["rule"] == f"rule-{at}"] for at in range(len(told))]

    def missing(self, *told: tuple[Mapping[str, Any], Case]) -> list[Any]:
        """What each case's last level lacks."""
        return [row["missing"] for row in self._last(told)]

    def broken(self, *told: tuple[Mapping[str, Any], Case]) -> list[Any]:
        """The floors that each case's last level does not hold."""
        return [row["broken_floors"] for row in self._last(told)]

    def _last(self, told: Sequence[tuple[Mapping[str, Any], Case]]) -> list[dict[str, Any]]:
        last = [case[-1] for case in self.judge(*told)]
        assert all(row["eligible"] == (row["missing"] is None and row["broken_floors"] is None) for row in last)
        return last


def each(under: Mapping[str, Any], *cases: Case) -> list[tuple[Mapping[str, Any], Case]]:
    return [(under, case) for case in cases]


NAN = math.nan
