"""The study's own file of one model, by hand: scores by their shots, and workloads by their batches."""

from __future__ import annotations

from typing import Any

from warehouse.importers import study
from warehouse.importers.study import read_json


def test_a_benchmark_with_shots_is_a_score_and_one_without_is_a_workload() -> None:
    measured: dict[str, Any] = {f"{quantity}_mean": None for quantity in study._QUANTITIES}
    quantity = next(iter(study._QUANTITIES))
    measured |= {
        f"{quantity}_{of}": value for of, value in (("mean", 20.0), ("std", 1.0), ("min", 19.0), ("max", 21.0))
    }
    measured |= {"batch_size": 8, "num_runs_aggregated": 3}
    measured |= {"raw_runs_data": {"a": {"total_new_tokens": 10}, "b": {"total_new_tokens": 14}}}
    file: dict[str, Any] = {
        "experiment_metadata": {
            "model_family": "Tiny", "pruning_method": "MAW (whatever)", "timestamp": "2025-01-02T00:00:00",
            "hardware": {"device": "NVIDIA L4"},
        },
        "benchmarks": [{"name": "mmlu", "num_fewshot": 5}, {"name": "mmlu_latency"}],
        "models_evaluated": {
            "base": {"pruning_pct": 0, "hf_repo": "org/Tiny", "name": "Tiny", "results": {
                "mmlu": {"acc,none": 0.4, "acc_stderr,none": 0.01}, "mmlu_latency": measured,
            }},
        },
    }  # fmt: skip
    found = read_json(file)
    [score] = found.scores[0.0]
    assert (score.task, score.metric, score.value, score.stderr, score.num_fewshot) == ("mmlu", "acc", 0.4, 0.01, 5)
    rows = found.measurements[0.0]
    assert {row.workload for row in rows} == {"mmlu_latency"}
    assert {row.quantity: row.mean for row in rows} == {quantity: 20.0, "new_tokens": 12}
    assert (found.model, found.method, found.device) == ("org/Tiny", "maw", "NVIDIA L4")
