"""Writes the documents of the demo tasks, all from held-out combinations: `python -m benchmarks.demo_model.tasks`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.demo_model.lessons import (
    Exercise,
    fact_question,
    minimal_pair,
    question_held_out,
    random_instruction,
    random_sum,
)
from benchmarks.demo_model.stories import story
from benchmarks.demo_model.world import ATTRIBUTES, people
from engine.demo.paths import TASKS_DIR

SEED = 7
STORIES, PASSAGES, FACTS, PAIRS, SUMS, SHOTS, INSTRUCTIONS = 60, 120, 50, 160, 120, 20, 120

Doc = dict[str, Any]


def _distinct(docs: Iterator[Doc], count: int) -> list[Doc]:
    """The first `count` documents with different beginnings, that is, the first fields."""
    found: dict[str, Doc] = {}
    while len(found) < count:
        doc = next(docs)
        found.setdefault(next(iter(doc.values())), doc)
    return list(found.values())


def _stories(rng: random.Random) -> Iterator[Doc]:
    while True:
        yield {"text": story(rng, held=True)}


def _passages(rng: random.Random) -> Iterator[Doc]:
    """Held-out stories up to their last word."""
    for doc in _stories(rng):
        yield {"text": doc["text"].removesuffix(".")}


def _facts(rng: random.Random, attribute: str) -> Iterator[Doc]:
    """Facts that training tells but never asks for."""
    while True:
        person = rng.choice(people())
        if question_held_out(person, attribute):
            exercise = fact_question(person, attribute)
            wrong = [value for value in ATTRIBUTES[attribute] if value != exercise.answer]
            choices = [exercise.answer, *rng.sample(wrong, 3)]
            rng.shuffle(choices)
            yield {"prompt": exercise.prompt, "choices": choices, "label": choices.index(exercise.answer)}


def _pairs(rng: random.Random) -> Iterator[Doc]:
    while True:
        pair = minimal_pair(rng, held=True)
        choices = [pair.good, pair.bad]
        rng.shuffle(choices)
        yield {"context": pair.context, "choices": choices, "label": choices.index(pair.good)}


def _exercise(exercise: Exercise) -> Doc:
    return {"prompt": exercise.prompt, "answer": exercise.answer}


def _sums(rng: random.Random, *, held: bool) -> Iterator[Doc]:
    while True:
        yield _exercise(random_sum(rng, held=held))


def _instructions(rng: random.Random) -> Iterator[Doc]:
    while True:
        yield _exercise(random_instruction(rng, held=True))


def task_files() -> dict[str, list[Doc]]:
    """The documents of each file in the tasks folder, by file name; the same at every call."""
    sources = {
        "story": (_stories, STORIES),
        "lambada": (_passages, PASSAGES),
        **{f"facts_{attribute}": (partial(_facts, attribute=attribute), FACTS) for attribute in ATTRIBUTES},
        "grammar": (_pairs, PAIRS),
        "sums": (partial(_sums, held=True), SUMS),
        "sums_shots": (partial(_sums, held=False), SHOTS),
        "instructions": (_instructions, INSTRUCTIONS),
    }
    return {
        f"{name}.jsonl": _distinct(source(random.Random(f"{SEED}/{name}")), count)
        for name, (source, count) in sources.items()
    }


def write(folder: Path = TASKS_DIR) -> None:
    for name, docs in task_files().items():
        lines = [json.dumps(doc, ensure_ascii=False) for doc in docs]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
