"""What is recorded of each document, where a metric is one of all documents at once."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lm_eval.tasks import TaskManager

from engine.worker.scoring import Sample, score
from warehouse import corpus_metrics

CHOICES = """
task: choices
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{text}}}}"
doc_to_target: label
doc_to_choice: ["no", "yes"]
metric_list: [{{metric: f1}}, {{metric: mcc}}, {{metric: brier_score}}]
"""
TEXTS = """
task: texts
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{text}}}}"
doc_to_target: "{{{{right}}}}"
metric_list: [{{metric: bleu}}, {{metric: chrf}}, {{metric: ter}}]
"""
DOCUMENTS = [
    {"text": f"Question {number}:", "label": number % 2, "right": f"the {number} cats sat on a mat in the town"}
    for number in range(12)
]


class Guesses:
    """Says yes to every third question, and writes much of what is right."""

    def loglikelihood(self, instances: list[Any]) -> list[tuple[float, bool]]:
        return [(-1.0 if (i.args[1].strip() == "yes") == (i.doc_id % 3 == 0) else -2.5, False) for i in instances]

    def generate_until(self, instances: list[Any]) -> list[str]:
        return [f"the {i.doc_id // 2} cats sat on a mat" for i in instances]


@pytest.fixture
def scored(tmp_path: Path) -> Any:
    data = tmp_path / "documents.jsonl"
    data.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))

    def of(yaml: str) -> tuple[dict[str, Any], dict[str, list[Sample]]]:
        (tmp_path / "task.yaml").write_text(yaml.format(data=data))
        name = yaml.split()[1]
        task = TaskManager(include_path=str(tmp_path), include_defaults=False).load([name])["tasks"][name]
        task.build_all_requests()
        lm: Any = Guesses()
        built: Any = SimpleNamespace(task=task)
        metrics, samples = score(built, lm)
        by_metric = {m.metric: [s for s in samples if s.metric == m.metric] for m in metrics}
        return {m.metric: m.value for m in metrics}, by_metric

    return of


def test_classes_of_each_document_are_kept(scored):
    values, samples = scored(CHOICES)
    expected = [[number % 2, float(number % 3 == 0)] for number in range(12)]
    assert [sample.terms for sample in samples["f1"]] == expected
    assert [sample.terms for sample in samples["mcc"]] == expected
    assert {sample.value for sample in samples["f1"]} == {None}
    right, chosen = np.array(expected).T
    assert values["f1"] == pytest.approx(2 * (right * chosen).sum() / (right.sum() + chosen.sum()))


def test_a_brier_score_is_the_mean_of_its_documents(scored):
    values, samples = scored(CHOICES)
    assert np.mean([sample.value for sample in samples["brier_score"]]) == pytest.approx(values["brier_score"])


@pytest.mark.parametrize("metric", ["bleu", "chrf", "ter"])
def test_counts_of_each_text_sum_up_to_the_recorded_value(scored, metric):
    values, samples = scored(TEXTS)
    sums = np.array([sample.terms for sample in samples[metric]]).sum(axis=0)
    assert values[metric] == pytest.approx(float(getattr(corpus_metrics, metric)(sums)), rel=1e-12)
    assert 0 < values[metric] < 100
