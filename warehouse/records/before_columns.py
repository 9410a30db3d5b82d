"""The conditions of a plan from before they were columns: from what it planned, where it came from, and a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from warehouse.records.conditions import Conditions, documents, old_seeds, seeds_text

_SYSTEM = re.compile(r", system instruction (\".*\")$", re.DOTALL)
_SEED = re.compile(r"seed (-?\d+)")
_LIMIT = re.compile(r"limit (\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
_PUBLISHED = ("published", "study")


def conditions_before(
    plan: Mapping[str, Any], dtype: str | None, origin: str | None, sentence: str | None
) -> tuple[Conditions, str | None]:
    """What is known in columns, and the sentence where that says more: of published figures, or in words of its own.

    `plan` is the plan as plain values: an own run's names everything, an import's does not.
    """
    if origin in _PUBLISHED:
        return Conditions(published=True, dtype=dtype), sentence
    if "limit" in plan:
        return _of_plan(plan, dtype), None
    conditions = None if sentence is None else _of_sentence(sentence)
    return (Conditions(dtype=dtype), sentence) if conditions is None else (conditions, None)


def _of_plan(plan: Mapping[str, Any], dtype: str | None) -> Conditions:
    """A seed S was added to each of lm-eval's four; the hash of a chat template that was applied stays unknown."""
    chat_template = bool(plan.get("apply_chat_template"))
    return Conditions(
        documents=documents(plan["limit"]),
        dtype=dtype,
        seeds=seeds_text(old_seeds(plan.get("seed", 0))),
        chat_template=chat_template,
        chat_template_hash=None if chat_template else "",
        system_prompt=plan.get("system_instruction") or "",
        fewshot_as_multiturn=bool(plan.get("fewshot_as_multiturn")),
        generation="",
        quantization="",
        adapter="",
        model_args="",
        repair="none",
        calibration="",
    )


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
