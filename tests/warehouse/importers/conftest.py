"""Result files as lm-eval writes them, with the figures that a test asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

DATE = "2026-01-02T03-04-05.000006"


class ResultWriter:
    """Writes result files of lm-eval 0.4.9, of `org/small` on 100 documents at 1.7e9 seconds unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        name: str = f"results_{DATE}.json",
        results: Mapping[str, Any] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        shots: int = 0,
        n: int = 100,
        **fields: Any,
    ) -> Path:
        results = results or {"hellaswag": {"acc,none": 0.5, "acc_stderr,none": 0.05}}
        data = {
            "results": results,
            "group_subtasks": {task: [] for task in results},
            "versions": dict.fromkeys(results, 1.0),
            "n-shot": dict.fromkeys(results, shots),
            "higher_is_better": {task: {"acc": True, "acc_norm": True, "exact_match": True} for task in results},
            "n-samples": {task: {"original": n, "effective": n} for task in results},
            "config": {
                "model": "hf", "model_args": "pretrained=org/small", "model_dtype": "torch.float32", "model_sha": "abc",
                "limit": None, "gen_kwargs": None,
                "random_seed": 0, "numpy_seed": 1234, "torch_seed": 1234, "fewshot_seed": 1234,
            } | dict(config or {}),
            "date": 1.7e9, "lm_eval_version": "0.4.9", "model_name": "org/small",
            "system_instruction": None, "chat_template": None,
        } | fields  # fmt: skip
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    def samples(self, task: str, samples: Iterable[Mapping[str, Any]], *, beside: str = "", date: str = DATE) -> Path:
        path = self.folder / beside / f"samples_{task}_{date}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
        return path


def choice_sample(doc_id: int, log_likelihoods: Iterable[float], texts: Iterable[str], **fields: Any) -> dict[str, Any]:
    """A sample of a multiple-choice task, in the form of lm-eval 0.4.13."""
    about = {"doc_id": doc_id, "filter": "none", "target": "0", "metrics": ["acc"], "acc": 1.0}
    asked = {f"gen_args_{i}": {"arg_0": f"question {doc_id}", "arg_1": text} for i, text in enumerate(texts)}
    answers = [[str(value), "False"] for value in log_likelihoods]
    return about | {"arguments": asked, "filtered_resps": answers} | fields


@pytest.fixture
def write(tmp_path: Path) -> ResultWriter:
    return ResultWriter(tmp_path / "out")


@pytest.fixture(name="choice_sample")
def choice_sample_() -> Callable[..., dict[str, Any]]:
    return choice_sample
