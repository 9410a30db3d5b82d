"""A saved width's scores in the hub's own forms, read back by the hub's client; licence and language carried over."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from transformers import PreTrainedModel

from engine.pruning.card_results import CardResults
from engine.pruning.checkpoint import save_level
from warehouse.read.card_scores import CardScore
from warehouse.records.level import Level


def score(task: str, value: float | None, dataset: str | None) -> CardScore:
    return CardScore(
        benchmark=task.upper(), task=task, metric="acc", filter="none", num_fewshot=5, value=value, stderr=0.01, n=1000,
        conditions="all documents, bfloat16", recorded_at=datetime(2026, 11, 30, tzinfo=UTC), dataset=dataset,
    )  # fmt: skip


@pytest.fixture
def saved(make_model: Callable[..., PreTrainedModel], save_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    source = save_checkpoint(make_model("llama"))
    (source / "README.md").write_text("---\nlicense: llama3.2\nlanguage: [en, de]\nbase_model: x/y\n---\n# Theirs\n")
    (source / "LICENSE.txt").write_text("You may.")
    results = CardResults(
        table="| a table |",
        scores=[
            score("arc", 0.5, "allenai/ai2_arc/ARC-Challenge"),
            score("boolq", 0.7, "super_glue/boolq"),
            score("broken", math.nan, "a/b/c"),
            score("missing", None, "a/b/c"),
        ],
    )
    save_level(str(source), level=Level.parse("40"), method="maw", to=tmp_path / "out", card=lambda kept: results)
    return tmp_path / "out"


def test_the_card_has_an_index_of_results_and_the_licence(saved: Path) -> None:
    data: Any = ModelCard.load(saved / "README.md").data
    assert (data.get("license"), data.get("language")) == ("llama3.2", ["en", "de"])
    assert (saved / "LICENSE.txt").read_text() == "You may."
    results = data.eval_results
    assert results is not None
    assert [(one.dataset_type, one.dataset_config, one.metric_value) for one in results] == [
        ("allenai/ai2_arc", "ARC-Challenge", 0.5),
        ("super_glue/boolq", None, 0.7),
    ]
    assert results[0].metric_args == {
        "task": "arc", "num_fewshot": 5, "documents": 1000, "stderr": 0.01, "conditions": "all documents, bfloat16",
    }  # fmt: skip


def test_results_are_files_where_the_data_set_is_told_to_be_on_the_hub(saved: Path) -> None:
    assert [path.name for path in (saved / ".eval_results").iterdir()] == ["arc.yaml"]
    [entry] = parse_eval_result_entries(yaml.safe_load((saved / ".eval_results" / "arc.yaml").read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value, entry.date) == (
        "allenai/ai2_arc", "ARC-Challenge", 0.5, "2026-11-30",
    )  # fmt: skip
    assert entry.notes == "lm-eval arc, acc, 5-shot, all documents, bfloat16"
