"""pair_claims_from on rows by hand: each case is a pair of sizes of its own, so that one query answers all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from by_hand import fill, stand_in

from warehouse.store import studies
from warehouse.store.answers import records

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = Sequence[Mapping[str, Any]]
_PAIR = {"method": "maw"}
_CHANGE = {
    "method": "maw", "task": "leaderboard_musr", "benchmark": "MuSR", "metric": "acc", "filter": "none",
    "kind": "score", "pruning_pct": 10.0, "baseline": 1.0, "value": 1.0, "gain": 0.0, "stderr": 1.0,
}  # fmt: skip
_LEVEL = {
    "method": "maw", "repair": "none", "prefer": "score", "eligible": True, "score": 0.0, "score_stderr": 1.0,
    "parameters": 100,
}  # fmt: skip


class Pairs:
    """A case is two lists, of the smaller and of the larger: their changes, or their levels under the rule."""

    def __init__(self, con: DuckDBPyConnection) -> None:
        self.con = con
        studies.make_for(con, "pair_claims")
        for view, name in (("claim_changes", "changes"), ("claim_pairs", "pairs"), ("rule_levels", "levels")):
            stand_in(con, view, name)

    def say(self, *cases: Sequence[Rows]) -> list[list[dict[str, Any]]]:
        """What is said of each, in order of the claims."""
        return self._of(cases, "changes", _CHANGE)

    def best(self, *cases: Sequence[Rows]) -> list[list[dict[str, Any]]]:
        return self._of(cases, "levels", _LEVEL)

    def _of(self, cases: Sequence[Sequence[Rows]], table: str, given: Mapping[str, Any]) -> list[list[dict]]:
        ids = [(f"s{index}", f"l{index}") for index in range(len(cases))]
        fill(self.con, "changes", [])
        fill(self.con, "levels", [])
        fill(
            self.con,
            "pairs",
            [
                _PAIR | {"smaller_id": smaller, "smaller": "org/S", "larger_id": larger, "larger": "org/L"}
                for smaller, larger in ids
            ],
        )
        rows = [
            {"model_id": who, **given, **row}
            for pair, sides in zip(ids, cases, strict=True)
            for who, side in zip(pair, sides, strict=True)
            for row in side
        ]
        fill(self.con, table, rows)
        found = records(self.con.execute("from pair_claims_from('changes', 'pairs', 'levels') order by claim"))
        return [[row for row in found if row["model_id"] == smaller] for smaller, _ in ids]
