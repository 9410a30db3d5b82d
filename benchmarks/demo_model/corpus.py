"""The training corpus: endless documents of the toy world, none of them with a held-out combination."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.demo_model.lessons import (
    Exercise,
    equation,
    minimal_pair,
    random_fact_question,
    random_instruction,
    random_sum,
    statement,
)
from benchmarks.demo_model.stories import story
from benchmarks.demo_model.world import ATTRIBUTES, people

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "</s>"


def _stories(rng: random.Random) -> str:
    return story(rng, held=False)


def _portrait(rng: random.Random) -> str:
    """All that is known of one person, some of it twice."""
    person = rng.choice(people())
    attributes = [*ATTRIBUTES, rng.choice(list(ATTRIBUTES))]
    rng.shuffle(attributes)
    return " ".join(statement(rng, person, attribute) for attribute in attributes)


def _facts(rng: random.Random) -> str:
    return " ".join(
        statement(rng, rng.choice(people()), rng.choice(list(ATTRIBUTES))) for _ in range(rng.randint(1, 5))
    )


def _grammar(rng: random.Random) -> str:
    pairs = [minimal_pair(rng, held=False) for _ in range(rng.randint(1, 4))]
    return " ".join(f"{pair.context} {pair.good}" for pair in pairs)


def _equations(rng: random.Random) -> str:
    return "\n".join(equation(rng) for _ in range(rng.randint(2, 8)))


def _exercise(rng: random.Random, kind: str) -> Exercise:
    match kind:
        case "fact":
            return random_fact_question(rng)
        case "sum":
            return random_sum(rng, held=False)
        case _:
            return random_instruction(rng, held=False)


def _exercises(rng: random.Random) -> str:
    """One to five exercises with their answers, of one kind or mixed, as a few-shot prompt has them."""
    kinds = rng.choice([["fact"], ["sum"], ["sum"], ["instruction"], ["fact", "sum", "instruction"]])
    exercises = [_exercise(rng, rng.choice(kinds)) for _ in range(rng.randint(1, 5))]
    return "\n\n".join(f"{exercise.prompt} {exercise.answer}" for exercise in exercises) + "\n"


def _chat(rng: random.Random) -> str:
    """The same as turns of a conversation, in the form of the tokenizer's chat template."""
    turns = []
    for _ in range(rng.randint(1, 3)):
        exercise = _exercise(rng, rng.choice(["fact", "sum", "instruction"]))
        prompt = exercise.prompt
        if rng.random() < 0.5:
            prompt = prompt.removesuffix("\nAnswer:").removeprefix("Question: ").removeprefix("Instruction: ")
        turns.append(f"{USER}{prompt}{ASSISTANT}{exercise.answer}")
    return END.join(turns)


_MIX = {_stories: 22, _portrait: 10, _facts: 10, _grammar: 8, _equations: 8, _exercises: 34, _chat: 8}


def documents(seed: int) -> Iterator[str]:
    """Endless documents. The same seed gives the same ones; different seeds make independent shards."""
    rng = random.Random(seed)
    kinds, weights = list(_MIX), list(_MIX.values())
    while True:
        (kind,) = rng.choices(kinds, weights)
        yield kind(rng)
