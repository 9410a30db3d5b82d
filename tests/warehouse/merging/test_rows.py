"""Rows hold what their event says, column by column."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from warehouse.merging import rows
from warehouse.records.events import Attempt, Stage
from warehouse.records.facts import CellFacts, FailureFacts, ModelFacts, TaskFacts, VariantFacts
from warehouse.store import journal

RECORDING = Path(__file__).parents[3] / "tui" / "runs" / "recordings" / "demo" / "journal.jsonl"
FLAT = (Attempt, ModelFacts, VariantFacts, TaskFacts, Stage, CellFacts)


def test_columns_of_a_run_are_those_that_whole_copies_would_have() -> None:
    facts: list[Any] = [event.data for event in journal.read(RECORDING, 0)[0] if isinstance(event.data, FLAT)]
    assert {type(one) for one in facts} == set(FLAT)
    facts.append(FailureFacts(level="20", task="piqa", error="out of memory", detail="Traceback"))
    facts += [metric for one in facts if isinstance(one, CellFacts) for metric in one.metrics]
    for one in facts:
        found, slow = rows._columns(one), asdict(one)
        if isinstance(one, CellFacts):
            found["metrics"] = [rows._columns(metric) for metric in one.metrics]
        assert list(found.items()) == list(slow.items())
