"""What is kept of a task's documents is what lm-eval logs of them, and bounded whatever a task asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from lm_eval.api.registry import get_model
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.evaluation.answers import answers_of
from engine.evaluation.documents import MOST_OF_CHOICES, MOST_OF_PROMPTS, MOST_OF_TARGET, write_documents
from engine.evaluation.lm import PrunedLM
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import score
from engine.evaluation.task_loading import load_tasks
from engine.evaluation.tasks import BuiltTask, build_tasks
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import Level


@pytest.fixture(scope="module")
def index(benchmarks: Any) -> Iterator[TaskManager]:
    manager = TaskManager(include_path=str(benchmarks.tasks), include_defaults=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.evaluation.task_loading._manager", lambda names, folders: manager)
        yield manager


@pytest.fixture(scope="module")
def pair(benchmarks: Any) -> tuple[Any, PrunedLM]:
    # GSM8K's answers are up to 256 tokens long, which the demo model, made for 256, must have room for.
    room = {"max_position_embeddings": 512}
    model: Any = AutoModelForCausalLM.from_pretrained(benchmarks.model, dtype=torch.float32, **room).eval()
    tokenizer = AutoTokenizer.from_pretrained(benchmarks.model, model_max_length=512)
    hflm: Any = get_model("hf")
    return hflm(pretrained=model, tokenizer=tokenizer, batch_size=8), PrunedLM(model, tokenizer, batch_tokens=4096)


def logged(lm: Any, spec: TaskSpec, limit: int, index: TaskManager) -> list[dict[str, Any]]:
    """lm-eval's own samples, those of the task's first filter."""
    found: Any = simple_evaluate(
        model=lm, tasks=[spec.name], num_fewshot=spec.num_fewshot, limit=limit, task_manager=index, bootstrap_iters=0,
        log_samples=True,
    )  # fmt: skip
    samples = found["samples"][spec.name]
    return [sample for sample in samples if sample["filter"] == samples[0]["filter"]]


@pytest.mark.parametrize(
    ("task", "limit"),
    [
        ("hellaswag", 6),
        ("gsm8k", 1),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("boolq", 3), ("winogrande", 6), ("gsm8k", 3), ("wikitext", 1), ("truthfulqa_mc2", 2))
        ),
    ],
)
def test_documents_and_answers_are_those_that_lm_eval_logs(
    task: str, limit: int, pair: tuple[Any, PrunedLM], benchmarks: Any, index: TaskManager, tmp_path: Path
) -> None:
    reference, ours = pair
    spec = TaskSpec(task, 0)
    plan = RunPlan(name="t", model="any", levels=(Level.parse("0"),), tasks=(spec,), limit=limit)
    [built] = build_tasks(load_tasks(plan), plan, ours, lambda: None).tasks
    _, samples = score(built, ours)
    path, _, count = write_documents(tmp_path / "documents", built, attempt=1)
    documents = {row["doc_id"]: row for row in pq.read_table(path).to_pylist()}
    cell, _ = write_samples(
        tmp_path, level="0", task=task, attempt=1, samples=samples, answers=answers_of(built.instances)
    )
    answers = {row["doc_id"]: row for row in pq.read_table(cell).to_pylist() if row["texts"] is not None}
    expected = logged(reference, spec, limit, index)
    assert len(expected) == len(documents) == len(answers) == count == limit
    for sample in expected:
        document, answer = documents[sample["doc_id"]], answers[sample["doc_id"]]
        assert document["doc_hash"].hex() == sample["doc_hash"]
        contexts = [request[0] for request in sample["arguments"]]
        if task == "wikitext":  # an article, which is longer than what is kept
            [kept] = document["prompts"]
            assert (kept[:200], kept[-200:]) == (contexts[0][:200], contexts[0][-200:])
            assert document["target"] is None
        else:
            assert document["prompts"] == (contexts[:1] if len(set(contexts)) == 1 else contexts)
            assert json.loads(document["target"]) == sample["target"]
        match sample["resps"][0][0]:
            case str():
                assert document["choices"] == answer["log_likelihoods"] == answer["greedy"] == []
                assert answer["texts"] == [text for [text] in sample["resps"]]
            case float():
                assert answer["log_likelihoods"] == pytest.approx([one for [one] in sample["resps"]], rel=1e-4)
            case _:
                assert document["choices"] == [request[1] for request in sample["arguments"]]
                assert answer["log_likelihoods"] == pytest.approx([one for [[one, _]] in sample["resps"]], rel=1e-4)
                assert answer["greedy"] == [greedy for [[_, greedy]] in sample["resps"]]


TASK = """
task: wild
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}, train: {data}}}}}
test_split: test
training_split: train
num_fewshot: {shots}
output_type: multiple_choice
doc_to_text: "{{{{text}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: right
metric_list: [{{metric: acc}}]
"""
SECRET = "hf_" + "Ab1" * 12
NO_FACTS: Any = None


class First:
    """Prefers the first choice, by as much as a float64 can tell."""

    def loglikelihood(self, instances: list[Any]) -> list[tuple[float, bool]]:
        return [(-1.0 - i.idx / 3e15, i.idx == 0) for i in instances]


def built_task(folder: Path, documents: list[dict[str, Any]], shots: int = 0) -> BuiltTask:
    data = folder / "documents.jsonl"
    data.write_text("".join(json.dumps(document) + "\n" for document in documents))
    (folder / "task.yaml").write_text(TASK.format(data=data, shots=shots))
    task: Any = TaskManager(include_path=str(folder), include_defaults=False).load(["wild"])["tasks"]["wild"]
    task.build_all_requests()
    facts: Any = type("Facts", (), {"num_fewshot": shots, "task": "wild"})
    return BuiltTask(task, facts)


def kept(folder: Path, built: BuiltTask) -> list[dict[str, Any]]:
    path, _, _ = write_documents(folder / "documents", built, attempt=1)
    return pq.read_table(path).to_pylist()


def test_a_huge_document_takes_no_more_than_its_bound(tmp_path: Path) -> None:
    wild = {
        "text": "Now " + "熊 " * 200_000 + "?", "choices": [f"{at} " + "é" * 3_000 for at in range(300)], "right": 299,
    }  # fmt: skip
    built = built_task(tmp_path, [wild])
    [document] = kept(tmp_path, built)
    [prompt] = document["prompts"]
    assert len(prompt) <= MOST_OF_PROMPTS
    assert prompt.startswith("Now 熊 熊")
    assert prompt.endswith("熊 ?")
    assert "characters left out" in prompt
    assert len(document["choices"]) == 250
    assert sum(map(len, document["choices"])) <= MOST_OF_CHOICES
    assert json.loads(document["target"]) == 299
    lm: Any = First()
    score(built, lm)
    [answer] = answers_of(built.instances).values()
    assert answer.log_likelihoods == [-1.0 - at / 3e15 for at in range(250)]
    assert len(set(answer.log_likelihoods)) == 250


def test_long_answers_are_bounded_together(tmp_path: Path) -> None:
    built = built_task(tmp_path, [{"text": "Q", "choices": ["a", "b"], "right": 0}])
    built.task.doc_to_target = lambda doc: ["so " * 5_000, "or so", *["x"] * 500]  # type: ignore[method-assign]
    target = json.loads(kept(tmp_path, built)[0]["target"])
    assert target[1] == "or so"
    assert len(target) <= 31
    assert sum(map(len, target)) <= MOST_OF_TARGET
    [only] = built.instances[:1]
    only.resps = [*["word " * 10_000] * 300]
    [answer] = answers_of([only]).values()
    assert len(answer.texts) == 250
    assert all(len(text) <= 64 for text in answer.texts)


def test_examples_before_the_question_are_left_out_and_counted(tmp_path: Path) -> None:
    documents = [
        {"text": f"Question {number}: which of the two is it?", "choices": ["no", "yes"], "right": number % 2}
        for number in range(6)
    ]
    built = built_task(tmp_path, documents, shots=2)
    for document, whole in zip(kept(tmp_path, built), built.instances[::2], strict=True):
        own = documents[document["doc_id"]]["text"]
        before = len(whole.args[0]) - len(own)
        assert before > 60
        assert document["prompts"] == [f"[… {before} characters left out …]\n{own}"]


def test_secrets_are_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "correct-horse-battery")
    wild = {"text": f"Say {SECRET} or correct-horse-battery", "choices": [SECRET, "b"], "right": 1}
    built = built_task(tmp_path, [wild])
    path, _, _ = write_documents(tmp_path / "documents", built, attempt=1)
    [document] = pq.read_table(path).to_pylist()
    assert document["prompts"] == ["Say *** or ***"]
    assert document["choices"] == [" ***", " b"]
