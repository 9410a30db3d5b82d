"""The demo tasks in lm-eval: they load offline, the model is good at them, and pruning hurts some of them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from lm_eval.evaluator import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR, TASKS_DIR
from engine.planning.suites import SUITES
from engine.pruning.checkpoint import prune

TASKS = [task.name for task in SUITES["demo"]]
Scores = dict[str, dict[str, float]]
LOAD = """
import socket, sys

def refuse(*_):
    raise AssertionError("the network was asked for")

socket.getaddrinfo = socket.socket.connect = refuse
from lm_eval.tasks import TaskManager

manager = TaskManager(include_path=sys.argv[1], include_defaults=False)
loaded = manager.load(sys.argv[2].split(","))["tasks"]
print(sorted((name, len(task.eval_docs)) for name, task in loaded.items()))
"""


def evaluate(intermediate_size: int, tasks: list[str], limit: int) -> Scores:
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    prune(model, intermediate_size, method="maw", seed=0)
    hf: Any = HFLM  # its constructor is wrapped, which hides the parameters
    lm = hf(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(MODEL_DIR), batch_size=32)
    manager = TaskManager(include_path=str(TASKS_DIR), include_defaults=False)
    found: Any = simple_evaluate(lm, tasks=list(tasks), task_manager=manager, limit=limit, bootstrap_iters=0)
    return found["results"]


@pytest.fixture(scope="module")
def unpruned() -> Scores:
    return evaluate(512, TASKS, limit=50)


@pytest.mark.slow
def test_tasks_load_from_any_folder_without_network_or_cache(tmp_path: Path) -> None:
    tasks, home = tmp_path / "elsewhere", tmp_path / "home"
    shutil.copytree(TASKS_DIR, tasks, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(path.name for path in tasks.iterdir())
    tasks.chmod(0o555)
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)}
    child = subprocess.run(
        [sys.executable, "-B", "-c", LOAD, str(tasks), ",".join(TASKS)],
        env=os.environ | offline,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    tasks.chmod(0o755)
    assert child.returncode == 0, child.stderr
    sizes = dict(ast.literal_eval(child.stdout))
    assert sizes == {
        "demo_story": 60,
        "demo_lambada": 120,
        "demo_facts_animals": 50,
        "demo_facts_foods": 50,
        "demo_facts_towns": 50,
        "demo_grammar": 160,
        "demo_sums": 120,
        "demo_instructions": 120,
    }
    assert sorted(path.name for path in tasks.iterdir()) == before
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_unpruned_it_is_far_better_than_chance(unpruned: Scores) -> None:
    assert unpruned["demo_facts"]["acc,none"] >= 0.8
    assert unpruned["demo_facts"]["acc_norm,none"] >= 0.8
    assert unpruned["demo_grammar"]["acc,none"] >= 0.85
    assert unpruned["demo_sums"]["exact_match,first-number"] >= 0.6
    assert unpruned["demo_instructions"]["exact_match,stripped"] >= 0.6
    assert unpruned["demo_lambada"]["acc,none"] >= 0.5
    assert unpruned["demo_lambada"]["perplexity,none"] < 2
    assert 1 < unpruned["demo_story"]["word_perplexity,none"] < 2.5


def test_the_facts_group_is_the_mean_of_its_parts(unpruned: Scores) -> None:
    parts = [unpruned[f"demo_facts_{part}"]["acc,none"] for part in ("animals", "foods", "towns")]
    assert unpruned["demo_facts"]["acc,none"] == pytest.approx(sum(parts) / 3)


@pytest.mark.slow
def test_pruning_hurts_sums_and_stories_and_spares_grammar(unpruned: Scores) -> None:
    pruned = evaluate(512 - 256, ["demo_story", "demo_grammar", "demo_sums"], limit=50)
    sums, story, grammar = "exact_match,first-number", "word_perplexity,none", "acc,none"
    assert pruned["demo_sums"][sums] < unpruned["demo_sums"][sums] - 0.25
    assert pruned["demo_story"][story] > unpruned["demo_story"][story] * 1.3
    assert pruned["demo_grammar"][grammar] > unpruned["demo_grammar"][grammar] - 0.05
