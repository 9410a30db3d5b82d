"""What guessing scores, counted on the benchmarks' own rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from lm_eval.tasks import TaskManager

from engine.worker.chance import chance_levels

MANAGERS: dict[Path, TaskManager] = {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("piqa", {"acc": 0.5, "acc_norm": 0.5}),
        ("arc_challenge", {"acc": 0.2501564277588168, "acc_norm": 0.2501564277588168}),
        ("truthfulqa_mc1", {"acc": 0.22605616877342646}),
        ("truthfulqa_mc2", {"acc": 0.4484092570815881}),
        ("winogrande", {"acc": 0.5}),
        ("mmlu_anatomy", {"acc": 0.25}),
        ("leaderboard_musr_team_allocation", {"acc_norm": 1 / 3}),
        ("gsm8k", {"exact_match": 0.0}),
        ("lambada_openai", {"acc": 0.0}),
        ("wikitext", {}),
    ],
)
def test_chance_is_counted_from_the_choices(real_tasks, name, expected):
    if real_tasks not in MANAGERS:
        MANAGERS[real_tasks] = TaskManager(include_path=str(real_tasks))
    task = MANAGERS[real_tasks].load([name])["tasks"][name]
    task.set_config(key="num_fewshot", value=0)
    task.build_all_requests(limit=None if task.OUTPUT_TYPE == "multiple_choice" else 5)
    assert chance_levels(task) == pytest.approx(expected)
