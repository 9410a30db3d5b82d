"""Filling the columns of `runs` that came with migration 6 from what runs said until then: a plan and a sentence."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from warehouse.records.before_columns import conditions_before
from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def describe(con: DuckDBPyConnection) -> None:
    """Fill in the rows that say nothing in columns, as plans in journals are read; inside the caller's transaction."""
    for run_id, seq, origin, plan, sentence, dtype in con.execute(statements.query("old_runs")).fetchall():
        conditions, _ = conditions_before(json.loads(plan) if plan else {}, dtype, origin, sentence)
        con.execute(statements.query("describe_run"), asdict(conditions) | {"run_id": run_id, "seq": seq})
