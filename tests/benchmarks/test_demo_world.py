"""The demo's world: the same everywhere, and what the tasks ask is never in the training corpus."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.demo_model.corpus import documents
from benchmarks.demo_model.lessons import fact_question, question_held_out
from benchmarks.demo_model.tasks import task_files, write
from benchmarks.demo_model.world import ATTRIBUTES, people, sum_held_out
from engine.demo.paths import TASKS_DIR

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus() -> str:
    """About 10 MB of what the model was trained on: beginnings of three of its shards."""
    return "\n".join(text for seed in (64, 65, 127) for text in islice(documents(seed), 20_000))


def test_the_committed_documents_are_what_the_generator_writes(tmp_path: Path) -> None:
    write(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in TASKS_DIR.glob("*.jsonl")}


def test_a_seed_always_gives_the_same_documents() -> None:
    assert list(islice(documents(5), 200)) == list(islice(documents(5), 200))
    assert list(islice(documents(5), 200)) != list(islice(documents(6), 200))


def test_no_value_of_a_fact_is_likelier_than_another() -> None:
    for attribute, values in ATTRIBUTES.items():
        counts = Counter(person.fact(attribute) for person in people())
        assert counts == dict.fromkeys(values, len(people()) // len(values))
    assert len({person.name for person in people()}) == len(people()) == 384


@pytest.mark.parametrize("name", sorted(set(task_files()) - {"sums_shots.jsonl"}))
def test_no_text_of_a_task_is_in_the_corpus(name: str, corpus: str) -> None:
    for doc in task_files()[name]:
        if "context" in doc:
            held_out = [f"{doc['context']} {doc['choices'][doc['label']]}"]
        elif "prompt" in doc:
            prompt = doc["prompt"].removesuffix("\nAnswer:")
            held_out = [prompt, prompt.partition(": ")[2] + "<"]
        else:
            held_out = [doc["text"]]
        assert not [text for text in held_out if text in corpus], json.dumps(doc)


def test_no_held_out_fact_is_asked_for_in_the_corpus_in_any_wording(corpus: str) -> None:
    asked = set(re.findall(r"(?:Question: |>)([A-Z][^?\n]*\?)", corpus))
    assert len(asked) > 1000
    for person in people():
        for attribute in ATTRIBUTES:
            questions = {fact_question(person, attribute, phrasing).prompt[10:-8] for phrasing in (0, 1)}
            assert bool(questions & asked) != question_held_out(person, attribute)


def test_worked_examples_are_none_of_the_documents() -> None:
    sums = {doc["prompt"] for doc in task_files()["sums.jsonl"]}
    shots = {doc["prompt"] for doc in task_files()["sums_shots.jsonl"]}
    assert not sums & shots


def test_no_held_out_sum_is_in_the_corpus_in_any_wording(corpus: str) -> None:
    wordings = {
        "+": (r"(\d+) \+ (\d+) =", r"(\d+) plus (\d+)\?", r"has (\d+) \w+ and gets (\d+) more"),
        "-": (r"(\d+) - (\d+) =", r"(\d+) minus (\d+)\?", r"has (\d+) \w+ and loses (\d+)\."),
    }
    for sign, patterns in wordings.items():
        for pattern in patterns:
            found = {(int(left), int(right)) for left, right in re.findall(pattern, corpus)}
            assert len(found) > 1000, pattern
            assert not [pair for pair in found if sum_held_out(pair[0], sign, pair[1])]


def test_training_tells_the_facts_that_tasks_ask_for(corpus: str) -> None:
    """Nothing impossible is asked: each held-out answer is in a sentence with its person's name."""
    sentences = set(re.split(r"(?<=\.)\s", corpus))
    by_name: dict[str, list[str]] = {}
    for sentence in sentences:
        for name in re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", sentence):
            by_name.setdefault(name, []).append(sentence)
    for attribute in ATTRIBUTES:
        for doc in task_files()[f"facts_{attribute}.jsonl"]:
            name = re.findall(r"[A-Z][a-z]+ [A-Z][a-z]+", doc["prompt"])[-1]
            answer = doc["choices"][doc["label"]]
            assert any(answer in sentence for sentence in by_name[name]), doc
