"""A saved width's scores in the hub's two forms: `model-index` in the card, and files in `.eval_results`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, eval_result_entries_to_yaml

from warehouse.read.card_scores import CardScore

FOLDER = ".eval_results"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardResults:
    """`table` is a delta table in Markdown, `scores` are those of the width itself."""

    table: str
    scores: Sequence[CardScore] = ()

    def model_index(self) -> list[EvalResult]:
        return [
            EvalResult(
                task_type="text-generation",
                dataset_type=score.on_hub[0] if score.on_hub else score.dataset or score.task,
                dataset_name=score.benchmark,
                dataset_config=score.on_hub[1] if score.on_hub else None,
                metric_type=score.metric,
                metric_name=f"{score.metric}, {score.filter}" if score.filter != "none" else score.metric,
                metric_value=score.value,
                metric_args=_without_nothing(
                    task=score.task, num_fewshot=score.num_fewshot, documents=score.n, stderr=_finite(score.stderr),
                    conditions=score.conditions,
                ),
            )
            for score in self.scores
            if _finite(score.value) is not None
        ]  # fmt: skip

    def write_entries(self, folder: Path) -> None:
        """A file for each benchmark whose data set is told to be on the hub."""
        for score in self.scores:
            if score.on_hub is None or _finite(score.value) is None:
                continue
            entry = EvalResultEntry(
                dataset_id=score.on_hub[0],
                task_id=score.on_hub[1],
                value=score.value,
                date=None if score.recorded_at is None else score.recorded_at.date().isoformat(),
                notes=", ".join(
                    text
                    for text in (
                        f"lm-eval {score.task}, {score.metric}",
                        None if score.num_fewshot is None else f"{score.num_fewshot}-shot",
                        score.conditions,
                    )
                    if text
                ),
            )
            path = folder / FOLDER / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', score.task)}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False), encoding="utf-8")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _without_nothing(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
