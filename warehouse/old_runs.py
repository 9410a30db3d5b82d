"""Filling the columns of `runs` that came with migration 6 from what runs said until then: a plan and a sentence."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from warehouse import statements
from warehouse.records.conditions import Conditions, documents

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SYSTEM = re.compile(r", system instruction (\".*\")$", re.DOTALL)
_SEED = re.compile(r"seed (-?\d+)")
_LIMIT = re.compile(r"limit (\d+(?:\.\d+)?(?:e[+-]?\d+)?)")


def describe(con: DuckDBPyConnection) -> None:
    """Fill in the rows that say nothing in columns; inside the caller's transaction.

    A sentence that cannot be taken apart stays as the only thing that is known of the conditions.
    """
    for run_id, seq, origin, plan, sentence, dtype in con.execute(statements.query("old_runs")).fetchall():
        conditions = _conditions(origin, json.loads(plan) if plan else {}, sentence, dtype)
        if conditions is not None:
            con.execute(statements.query("describe_run"), asdict(conditions) | {"run_id": run_id, "seq": seq})


def _conditions(origin: str, plan: dict[str, Any], sentence: str | None, dtype: str | None) -> Conditions | None:
    if origin in ("published", "study"):
        return Conditions(published=True, dtype=dtype)
    if "limit" in plan:
        return Conditions.of_old_plan(plan, dtype)
    return None if sentence is None else _of_sentence(sentence)


def _of_sentence(sentence: str) -> Conditions | None:
    """What an import of lm-eval's results said: "limit 100, float32, seed 0, chat template, system instruction …".

    It named the first of four seeds, 0 where there was none: that says nothing. Any other was `--seed N`, which is all.
    """
    system = _SYSTEM.search(sentence)
    try:
        prompt = json.loads(system[1]) if system else ""
    except ValueError:
        return None
    rest = sentence[: system.start()] if system else sentence
    first, *parts = rest.split(", ")
    limit = _LIMIT.fullmatch(first)
    if limit is None and first != "all documents":
        return None
    dtype: str | None = None
    seeds = None
    for part in parts:
        if seed := _SEED.fullmatch(part):
            seeds = None if seed[1] == "0" else ",".join([seed[1]] * 4)
        elif re.fullmatch(r"b?float\d+", part):
            dtype = part
        elif part not in ("chat template", "multi-turn shots"):
            return None
    if not any(_SEED.fullmatch(part) for part in parts):
        return None
    return Conditions(
        documents=documents(float(limit[1]) if limit else None),
        dtype=dtype,
        seeds=seeds,
        chat_template="chat template" in parts,
        fewshot_as_multiturn="multi-turn shots" in parts,
        system_prompt=prompt,
    )
