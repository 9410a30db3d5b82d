"""Facts, sums, grammar and instructions, each either from training's combinations or from those held out."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.demo_model.world import (
    ADJECTIVES,
    ANIMALS,
    ATTRIBUTES,
    COLOURS,
    FOODS,
    NOUNS,
    SPOTS,
    THINGS,
    VERBS,
    Person,
    a,
    held_out,
    people,
    plural,
    sum_held_out,
)

_STATEMENTS = {
    "town": (
        "{name} lives in {value}.",
        "{name} comes from {value}.",
        "The home of {name} is in {value}.",
        "{name} has a house in {value}.",
        "If you look for {name}, go to {value}.",
    ),
    "animal": (
        "{name} has a pet, {one}.",
        "The pet of {name} is {one}.",
        "{name} goes everywhere with {possessive} {value}.",
        "{name} looks after {one}.",
        "{name} and {possessive} {value} are good friends.",
    ),
    "food": (
        "{name} likes to eat {value}.",
        "The favourite food of {name} is {value}.",
        "{name} loves {value}.",
        "When {name} is hungry, {subject} eats {value}.",
        "For {name} there is nothing better than {value}.",
    ),
}
_QUESTIONS = {
    "town": ("Where does {name} live?", "In which town is the home of {name}?"),
    "animal": ("Which animal does {name} have?", "What is the pet of {name}?"),
    "food": ("What does {name} like to eat?", "What is the favourite food of {name}?"),
}
_WORDS = (*ANIMALS, *FOODS, *COLOURS, *THINGS, *SPOTS, *ADJECTIVES)
_COUNTS = {"two": 2, "three": 3, "four": 4}
_NEAR = ("near", "behind", "with", "next to", "in front of")


@dataclass(frozen=True, slots=True)
class Exercise:
    """A prompt that ends where the answer begins, and the answer, which fits on one line."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """The beginning of a sentence and two ways to end it, of which only `good` agrees with it."""

    context: str
    good: str
    bad: str


def ask(question: str, answer: object) -> Exercise:
    return Exercise(f"Question: {question}\nAnswer:", str(answer))


def instruct(instruction: str, answer: object) -> Exercise:
    return Exercise(f"Instruction: {instruction}\nAnswer:", str(answer))


def statement(rng: random.Random, person: Person, attribute: str) -> str:
    """A sentence that says a fact. Facts are never held out, only the questions about some of them."""
    value = person.fact(attribute)
    return rng.choice(_STATEMENTS[attribute]).format(
        name=person.name, value=value, one=a(value), subject=person.subject, possessive=person.possessive
    )


def question_held_out(person: Person, attribute: str) -> bool:
    """Whether training never asks for this fact, though it tells it."""
    return held_out("question", person.name, attribute, one_in=2)


def fact_question(person: Person, attribute: str, phrasing: int = 0) -> Exercise:
    return ask(_QUESTIONS[attribute][phrasing].format(name=person.name), person.fact(attribute))


def random_fact_question(rng: random.Random) -> Exercise:
    """A question that training may ask."""
    while True:
        person, attribute = rng.choice(people()), rng.choice(list(ATTRIBUTES))
        if not question_held_out(person, attribute):
            return fact_question(person, attribute, rng.randrange(2))


def _numbers(rng: random.Random, held: bool) -> tuple[int, str, int, int]:
    while True:
        total = rng.randint(1, 99)
        right = rng.randint(0, total)
        left, sign, result = (total - right, "+", total) if rng.random() < 0.5 else (total, "-", total - right)
        if sum_held_out(left, sign, right) == held:
            return left, sign, right, result


def random_sum(rng: random.Random, *, held: bool) -> Exercise:
    """An addition or subtraction of numbers up to 99, plain or as a small story."""
    left, sign, right, result = _numbers(rng, held)
    if rng.random() < 0.5 or left < 2 or right < 1:
        return ask(f"What is {left} {'plus' if sign == '+' else 'minus'} {right}?", result)
    person, things = rng.choice(people()), plural(rng.choice(THINGS))
    change = f"gets {right} more. How many is that?" if sign == "+" else f"loses {right}. How many are left?"
    return ask(f"{person.first} has {left} {things} and {change}", result)


def equation(rng: random.Random) -> str:
    """A sum of training's in signs, such as `3 + 4 = 7`."""
    left, sign, right, result = _numbers(rng, held=False)
    return f"{left} {sign} {right} = {result}"


def minimal_pair(rng: random.Random, *, held: bool) -> MinimalPair:
    """Agreement of a verb or of `is` with its noun, or, in training only, of a noun with its determiner.

    Held out are a verb's combinations with its noun and the noun in between, and every sentence with two nouns
    in between: those with `is`, which has no combination of its own, all do, and a third of those with verbs.
    """
    kinds = ["verb", "be"] if held else ["verb", "be", "determiner"]
    while True:
        kind = rng.choice(kinds)
        noun, *others = rng.sample(list(NOUNS), 3)
        verb = rng.choice(list(VERBS))
        if held_out("grammar", kind, noun, others[0], verb) == held:
            break
    two = held and (kind == "be" or rng.random() < 1 / 3)
    many = rng.random() < 0.5
    subject = NOUNS[noun] if many else noun
    between = [
        f"{rng.choice(_NEAR)} the {NOUNS[other] if rng.random() < 0.5 else other}"
        for other in others[: 2 if two else 1]
    ]
    near = " ".join(between)
    spot, adjective = rng.choice(SPOTS), rng.choice(ADJECTIVES)
    match kind:
        case "verb":
            opening = rng.choice(["The", f"The {adjective}", f"At the {spot} the"])
            context, forms = f"{opening} {subject} {near}", (VERBS[verb], verb)
            ending = rng.choice(["", f" at the {rng.choice(SPOTS)}", f" near the {rng.choice(SPOTS)}"])
        case "be":
            context, forms = f"The {subject} {near}", ("is", "are")
            ending = f" {adjective}"
        case _:
            this, these = rng.choice([("this", "these"), ("that", "those")])
            context, forms = f"Do not wake {these if many else this} {adjective}", (noun, NOUNS[noun])
            ending = f" {near}"
    good, bad = (forms[1], forms[0]) if many else forms
    return MinimalPair(context, f"{good}{ending}.", f"{bad}{ending}.")


def random_instruction(rng: random.Random, *, held: bool) -> Exercise:
    """Repeat, order, pick or judge words; a held-out one has words never put together so in training."""
    while True:
        kind = rng.choice(["repeat", "twice", "times", "then", "twice then", "after", "first", "last", "more", "is"])
        one, two, three = rng.sample(_WORDS, 3)
        left, right = rng.sample(range(100), 2)
        match kind:
            case "repeat":
                words, text, answer = (one,), f"Repeat the word {one}.", one
            case "twice":
                words, text, answer = (one,), f"Say {one} twice.", f"{one} {one}"
            case "times":
                count = rng.choice(list(_COUNTS))
                words, text = (one, count), f"Write {one} {count} times."
                answer = " ".join([one] * _COUNTS[count])
            case "then":
                words, text, answer = (one, two), f"Say {one} and then {two}.", f"{one} {two}"
            case "twice then":
                words, text, answer = (one, two), f"Say {one} twice and then {two}.", f"{one} {one} {two}"
            case "after":
                words, text, answer = (one, two), f"Say {one} after {two}.", f"{two} {one}"
            case "first":
                words, text, answer = (one, two, three), f"Which word comes first: {one} {two} {three}?", one
            case "last":
                words, text, answer = (one, two, three), f"Which word comes last: {one} {two} {three}?", three
            case "more":
                words, text = (left, right), f"Answer yes or no: is {left} more than {right}?"
                answer = "yes" if left > right else "no"
            case _:
                category, members = rng.choice([("an animal", ANIMALS), ("a food", FOODS), ("a colour", COLOURS)])
                word = rng.choice(members) if rng.random() < 0.5 else one
                words, text = (word, category), f"Answer yes or no: is {word} {category}?"
                answer = "yes" if word in members else "no"
        if held_out("instruction", kind, *words) == held:
            return instruct(text, answer)
