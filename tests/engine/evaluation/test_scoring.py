"""What is recorded of each document, where a metric is one of all documents at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import one_in
from lm_eval.tasks import TaskManager

from engine.evaluation.scoring import Sample, score
from engine.evaluation.tasks import BuiltTask
from warehouse.stats.metrics import metrics

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
NO_FACTS: Any = None


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
        built: Any = BuiltTask(task, NO_FACTS)
        metrics, samples = score(built, lm)
        by_metric = {m.metric: [s for s in samples if s.metric == m.metric] for m in metrics}
        return {m.metric: m.value for m in metrics}, by_metric

    return of


@pytest.mark.slow
def test_classes_of_each_document_are_kept(scored):
    values, samples = scored(CHOICES)
    expected = [[number % 2, float(number % 3 == 0)] for number in range(12)]
    assert [sample.terms for sample in samples["f1"]] == expected
    assert [sample.terms for sample in samples["mcc"]] == expected
    assert {sample.value for sample in samples["f1"]} == {None}
    right, chosen = np.array(expected).T
    assert values["f1"] == pytest.approx(2 * (right * chosen).sum() / (right.sum() + chosen.sum()))


@pytest.mark.slow
def test_a_brier_score_is_the_mean_of_its_documents(scored):
    values, samples = scored(CHOICES)
    assert np.mean([sample.value for sample in samples["brier_score"]]) == pytest.approx(values["brier_score"])


@pytest.mark.slow
@pytest.mark.parametrize("metric", one_in(3, ["bleu", "chrf", "ter"]))
def test_counts_of_each_text_sum_up_to_the_recorded_value(scored, metric):
    values, samples = scored(TEXTS)
    sums = np.array([sample.terms for sample in samples[metric]]).sum(axis=0)
    assert values[metric] == pytest.approx(float(metrics()[metric].corpus[0].of_sums(sums)), rel=1e-12)
    assert 0 < values[metric] < 100


FOUR = """
task: four
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{text}}}}"
doc_to_target: label
doc_to_choice: ["a", "a long one", "été", "bb"]
metric_list: [{{metric: acc}}, {{metric: acc_norm}}, {{metric: acc_bytes}}{more}]
"""
OF_FOUR = {"a": -4.0, "a long one": -9.0, "été": -4.1, "bb": -5.0}  # given the context
BY_ITSELF = {"a": -3.0, "a long one": -30.0, "été": -4.0, "bb": -4.5}


class Likes:
    """Gives each of the four choices its own log-likelihood, with and without a context."""

    def loglikelihood(self, instances: list[Any]) -> list[tuple[float, bool]]:
        return [((OF_FOUR if i.args[0] else BY_ITSELF)[i.args[1].strip()], False) for i in instances]


@pytest.mark.parametrize("mutual", [False, True], ids=["four log-likelihoods", "eight"])
def test_a_stored_answer_is_the_one_that_its_metric_judges(tmp_path: Path, mutual: bool) -> None:
    data = tmp_path / "documents.jsonl"
    data.write_text("".join(json.dumps(document | {"label": at % 4}) + "\n" for at, document in enumerate(DOCUMENTS)))
    more = ", {metric: acc_mutual_info}" if mutual else ""
    (tmp_path / "task.yaml").write_text(FOUR.format(data=data, more=more))
    task = TaskManager(include_path=str(tmp_path), include_defaults=False).load(["four"])["tasks"]["four"]
    task.build_all_requests()
    built, lm = BuiltTask(task, NO_FACTS), Likes()
    _, samples = score(built, lm)  # type: ignore[arg-type]
    answers = {"acc": "0", "acc_norm": "1", "acc_bytes": "2"}  # -4, -9/10, -4.1/5
    if mutual:
        answers["acc_mutual_info"] = "1"
    for metric, answer in answers.items():
        own = [sample for sample in samples if sample.metric == metric]
        assert len(own) == 12
        assert {sample.response for sample in own} == {answer}
        # What is stored is right exactly where the metric says so.
        assert [sample.value for sample in own] == [float(answer == str(sample.doc_id % 4)) for sample in own]


DRAWN = """
task: drawn
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{text}}}}"
doc_to_target: "{{{{right}}}}"
process_results: !function judge.judge
metric_list: [{{metric: drawn, aggregation: mean, higher_is_better: true}}]
"""
JUDGES = {
    "Python's": "import random\ndef judge(doc, results): return {'drawn': random.random()}\n",
    "NumPy's": "import numpy\ndef judge(doc, results): return {'drawn': numpy.random.random()}\n",
    "as many draws as words": "import random\ndef judge(doc, results):\n"
    "    return {'drawn': [random.random() for _ in results[0].split()][-1]}\n",
    "a language's": "import langdetect\ndef judge(doc, results):\n"
    "    return {'drawn': langdetect.detect_langs('of the die a in for und is')[0].prob}\n",
}


@pytest.mark.parametrize("code", JUDGES.values(), ids=list(JUDGES))
def test_the_same_answers_have_the_same_score_whatever_a_task_draws(tmp_path: Path, code: str) -> None:
    pytest.importorskip("langdetect")
    data = tmp_path / "documents.jsonl"
    data.write_text("".join(json.dumps(document) + "\n" for document in DOCUMENTS))
    (tmp_path / "judge.py").write_text(code)
    (tmp_path / "task.yaml").write_text(DRAWN.format(data=data))
    task = TaskManager(include_path=str(tmp_path), include_defaults=False).load(["drawn"])["tasks"]["drawn"]
    task.build_all_requests()
    built, lm = BuiltTask(task, NO_FACTS), Guesses()
    first, second = (score(built, lm) for _ in range(2))  # type: ignore[arg-type]
    assert first == second
    # A document's draws are its own: fewer documents before it change nothing.
    task._instances = task.instances[6:]
    _, fewer = score(built, lm)  # type: ignore[arg-type]
    assert fewer == first[1][6:]
