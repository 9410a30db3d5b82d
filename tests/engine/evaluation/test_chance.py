"""What guessing scores, counted on the benchmarks' own rows."""

from __future__ import annotations

import pytest
from lm_eval.tasks import TaskManager

from engine.evaluation.chance import chance_levels

# Of a few rows: of three arc questions with four choices, two with three and one with five, and so on.
FEW = {
    "piqa": {"acc": 0.5, "acc_norm": 0.5},
    "arc_challenge": {"acc": (3 / 4 + 2 / 3 + 1 / 5) / 6, "acc_norm": (3 / 4 + 2 / 3 + 1 / 5) / 6},
    "truthfulqa_mc1": {"acc": (1 / 3 + 1 / 2 + 1 / 4 + 1 / 3) / 4},
    "truthfulqa_mc2": {"acc": (2 / 4 + 2 / 3 + 1 / 4 + 3 / 5) / 4},
    "winogrande": {"acc": 0.5},
    "mmlu_anatomy": {"acc": 0.25},
    "leaderboard_musr_team_allocation": {"acc_norm": 1 / 3},
    "gsm8k": {"exact_match": 0.0},
    "lambada_openai": {"acc": 0.0},
    "wikitext": {},
}
WHOLE = FEW | {
    "arc_challenge": {"acc": 0.2501564277588168, "acc_norm": 0.2501564277588168},
    "truthfulqa_mc1": {"acc": 0.22605616877342646},
    "truthfulqa_mc2": {"acc": 0.4484092570815881},
}


@pytest.fixture(scope="module")
def manager(benchmarks) -> TaskManager:
    return TaskManager(include_path=str(benchmarks.tasks), include_defaults=False)


@pytest.mark.parametrize("name", FEW)
def test_chance_is_counted_from_the_choices(manager, benchmarks, name):
    task = manager.load([name])["tasks"][name]
    task.set_config(key="num_fewshot", value=0)
    task.build_all_requests(limit=None if task.OUTPUT_TYPE == "multiple_choice" else 5)
    assert chance_levels(task) == pytest.approx((WHOLE if benchmarks.whole else FEW)[name])
