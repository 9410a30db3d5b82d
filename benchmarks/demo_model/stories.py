"""Short stories. A plot and the first names of its two people are either in training or held out, never both.

What is said of a person agrees with the facts, and the last word follows from what came before or from a fact.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.demo_model.world import ADJECTIVES, COLOURS, SPOTS, THINGS, Person, a, held_out, people

_TIMES = ("One day", "One morning", "Last night", "Yesterday", "On Sunday", "In the evening", "In winter", "Once")
_WEATHER = ("sunny", "rainy", "cold", "warm", "windy", "foggy")

Plot = Callable[[random.Random, Person, Person], list[str]]


def _opening(rng: random.Random, hero: Person) -> str:
    return rng.choice(
        [
            f"{rng.choice(_TIMES)} {hero.name} left {hero.town}.",
            f"{hero.name} lives in {hero.town}.",
            f"{rng.choice(_TIMES)} there was somebody from {hero.town}, called {hero.name}.",
            f"This is a story about {hero.name} from {hero.town}.",
            f"It was {a(rng.choice(_WEATHER))} day in {hero.town}, the town of {hero.name}.",
        ]
    )


def _lost(rng: random.Random, hero: Person, friend: Person) -> list[str]:
    thing, colour, spot = rng.choice(THINGS), rng.choice(COLOURS), rng.choice(SPOTS)
    return [
        _opening(rng, hero),
        f"{hero.subject.capitalize()} had {a(colour)} {thing}.",
        rng.choice(
            [
                f"At the {spot} {hero.subject} lost it.",
                f"But {hero.subject} lost it near the {spot}.",
                f"{hero.subject.capitalize()} took it to the {spot} and lost it there.",
            ]
        ),
        rng.choice([f"{hero.first} was very sad.", f"{hero.first} looked and looked.", f"{hero.first} began to cry."]),
        rng.choice(
            [
                f"Then {friend.name} came with {friend.possessive} {friend.animal}.",
                f"{friend.name} heard it and came to help.",
                f"Soon {friend.name} walked by.",
            ]
        ),
        rng.choice(
            [
                f"{friend.subject.capitalize()} went to the {spot} and found the {colour} {thing}.",
                f"Near the {spot} {friend.first} saw something {colour}. It was the {thing}.",
            ]
        ),
        rng.choice(
            [
                f"{friend.subject.capitalize()} gave the {thing} back to {hero.first}.",
                f'"Thank you for finding my {colour} {thing}," said {hero.first}.',
                f"So {hero.first} got back the {colour} {thing}.",
                f"Then {friend.first} went home to {friend.town}.",
                f"From then on {hero.first} never took it to the {spot}.",
            ]
        ),
    ]


def _gift(rng: random.Random, hero: Person, friend: Person) -> list[str]:
    thing, colour = rng.choice(THINGS), rng.choice(COLOURS)
    other, other_colour = rng.choice(THINGS), rng.choice(COLOURS)
    return [
        _opening(rng, hero),
        rng.choice(
            [
                f"It was the birthday of {friend.name}, and {hero.first} wanted to give {friend.first} something.",
                f"{hero.first} had a good friend, {friend.name}, who had a birthday.",
            ]
        ),
        f"In the shop there was {a(colour)} {thing} and {a(other_colour)} {other}.",
        rng.choice([f"{hero.first} bought the {thing}.", f"After a while {hero.subject} took the {thing}."]),
        rng.choice(
            [
                f"{friend.first} was happy, and they ate {friend.food} together.",
                f"{friend.first} laughed, and even {friend.possessive} {friend.animal} was happy.",
                f"{friend.first} had never seen such a gift.",
            ]
        ),
        rng.choice(
            [
                f'"I always wanted {a(colour)} {thing}," said {friend.first}.',
                f"That is how {friend.first} got the {colour} {thing}.",
                f"To this day {friend.first} has the {thing} from {hero.first}.",
                f"Then {hero.first} went home to eat {hero.food}.",
            ]
        ),
    ]


def _visit(rng: random.Random, hero: Person, friend: Person) -> list[str]:
    first, second = rng.sample(SPOTS, 2)
    return [
        _opening(rng, hero),
        f"{hero.subject.capitalize()} wanted to see {friend.name}, who lives in {friend.town}.",
        rng.choice(
            [
                f"First {hero.subject} came to a {first}, then to a {second}.",
                f"The way goes past the {first} and over the {second}.",
                f"{hero.first} walked past the {first} and rested at the {second}.",
            ]
        ),
        rng.choice(
            [
                f"There {hero.subject} ate some {hero.food}.",
                f"It was far, but {hero.first} was not tired.",
                f"The {hero.animal} of {hero.first} came along.",
            ]
        ),
        rng.choice([f"At last {hero.subject} saw the houses of {friend.town}.", f"{friend.first} was at home."]),
        rng.choice(
            [
                f"{friend.first} made {friend.food}, and they talked until it was dark.",
                f"They sat down with {friend.possessive} {friend.animal} and ate {friend.food}.",
            ]
        ),
        rng.choice(
            [
                f"{hero.first} stayed three days in {friend.town}.",
                f"It was a good day for {hero.first} and {friend.first}.",
                f"On the way home {hero.subject} slept at the {second}.",
            ]
        ),
    ]


def _runaway(rng: random.Random, hero: Person, friend: Person) -> list[str]:
    spot, adjective = rng.choice(SPOTS), rng.choice(ADJECTIVES)
    return [
        _opening(rng, hero),
        f"{hero.subject.capitalize()} had {a(adjective)} {hero.animal}.",
        rng.choice(
            [
                f"{rng.choice(_TIMES)} the {hero.animal} ran away to the {spot}.",
                f"But the {hero.animal} wanted to see the {spot}.",
            ]
        ),
        f"{hero.first} asked {friend.name} to help.",
        rng.choice(
            [
                f"{friend.first} put some {friend.food} in {a(rng.choice(COLOURS))} {rng.choice(['basket', 'box'])}.",
                f"{friend.first} came with {a(rng.choice(COLOURS))} lamp.",
            ]
        ),
        f"They waited at the {spot} until the {adjective} {hero.animal} came.",
        rng.choice(
            [
                f'"You found it!" said {hero.first} to {friend.first}.',
                f"Now everybody knows this {adjective} {hero.animal}.",
                f"Since then {hero.first} never goes to the {spot}.",
                f"In the evening {friend.first} was back in {friend.town}.",
            ]
        ),
    ]


def _race(rng: random.Random, hero: Person, friend: Person) -> list[str]:
    first, second = rng.sample(SPOTS, 2)
    thing, colour = rng.choice(THINGS), rng.choice(COLOURS)
    winner, loser = rng.sample([hero, friend], 2)
    return [
        _opening(rng, hero),
        f"{hero.first} and {friend.name} ran from the {first} to the {second}.",
        f"The winner was to get {a(colour)} {thing}.",
        rng.choice(
            [
                f"{loser.first} fell, and {winner.first} was faster.",
                f"{winner.first} was faster than {loser.first}.",
                f"At the {second} {winner.first} came first and {loser.first} second.",
            ]
        ),
        rng.choice(
            [
                f"{loser.first} was not sad and went home to {loser.town}.",
                f"{loser.first} went home to eat {loser.food}.",
            ]
        ),
        rng.choice(
            [
                f"The {colour} {thing} went to {winner.first}.",
                f"So {winner.first} won the {colour} {thing}.",
                f"Nobody ran faster to the {second}.",
            ]
        ),
    ]


PLOTS: dict[str, Plot] = {"lost": _lost, "gift": _gift, "visit": _visit, "runaway": _runaway, "race": _race}


def story(rng: random.Random, *, held: bool) -> str:
    """One story of four to seven sentences on one line, ending in a full stop.

    `held` chooses between the combinations of plot, hero and friend kept out of training and the others.
    """
    while True:
        plot = rng.choice(list(PLOTS))
        hero, friend = rng.sample(people(), 2)
        if hero.first != friend.first and held_out("story", plot, hero.first, friend.first) == held:
            return " ".join(PLOTS[plot](rng, hero, friend))
