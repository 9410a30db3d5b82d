"""The toy world: who lives in it, what is true of them, and what is kept out of training.

Everything the demo model reads or is asked comes from here. The world is the same in every process: it
depends on `WORLD_SEED` and nothing else.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import cache

WORLD_SEED = 20251222


def _words(text: str) -> list[str]:
    return text.split()


_WOMEN = _words(
    "Ada Amy Anna Bella Cara Clara Daisy Dora Ella Emma Eva Fay Flora Freya Grace Greta Hana Helen Ida Iris "
    "Ivy Jane Jill Julia Kate Kira Laura Lea Lily Lucy Mara Maya Mia Mina Nora Olga Pia Rosa Ruby Sara Tara "
    "Tess Uma Vera Wilma Yara Zara Zoe"
)
_MEN = _words(
    "Adam Alan Alex Arne Ben Bill Boris Carl Colin Dan David Emil Eric Felix Finn Frank Gus Hans Harry Henry "
    "Hugo Igor Ivan Jack Jan John Karl Kurt Leo Liam Luke Mark Max Neil Nick Noah Omar Oscar Otto Paul Pete "
    "Ralf Sam Simon Theo Tim Tom Will"
)

_FAMILIES = _words(
    "Abbot Baxter Carver Dyer Fisher Gardner Hooper Knight Mason Miller Palmer Potter Shepherd Smith Tanner "
    "Taylor Turner Walker Ward Weaver Webb West Wood Young"
)
_FAMILIES_PER_NAME = 4

TOWNS = _words(
    "Ashby Bergen Corby Dover Elmwood Fenton Garth Hilltop Isling Kirby Linden Marsh Norwood Oakdale Pinecliff Redhill"
)
ANIMALS = _words("bird cat cow dog duck fish fox goat hen horse mouse owl pig rabbit sheep turtle")
FOODS = _words("apples beans bread cake carrots cheese corn honey noodles nuts pears plums rice salad soup toast")

COLOURS = _words("black blue brown green pink red white yellow")
# Plurals of these are regular: -s, but boxes.
THINGS = _words("ball basket bell boat book box cup drum hat kite lamp map pen ring rope spoon")
SPOTS = _words("barn beach bridge farm field forest garden hill lake market mill park river school square station")
ADJECTIVES = _words("big brave clever gentle happy hungry kind little lucky old proud quiet sleepy small tall young")

NOUNS = {
    "baker": "bakers", "bird": "birds", "boy": "boys", "cat": "cats", "cow": "cows", "doctor": "doctors",
    "dog": "dogs", "duck": "ducks", "farmer": "farmers", "fox": "foxes", "girl": "girls", "goat": "goats",
    "horse": "horses", "king": "kings", "man": "men", "mouse": "mice", "owl": "owls", "pig": "pigs",
    "queen": "queens", "rabbit": "rabbits", "sailor": "sailors", "teacher": "teachers",
    "woman": "women",
}  # fmt: skip
VERBS = {
    "dance": "dances", "eat": "eats", "hide": "hides", "jump": "jumps", "laugh": "laughs", "play": "plays",
    "rest": "rests", "run": "runs", "sing": "sings", "sleep": "sleeps", "swim": "swims", "wait": "waits",
    "walk": "walks", "work": "works",
}  # fmt: skip

ATTRIBUTES = {"town": TOWNS, "animal": ANIMALS, "food": FOODS}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of this world; `town`, `animal` and `food` are the facts that can be known about them.

    Four people share each first name, so that facts must be looked up by the whole name.
    """

    first: str
    family: str
    female: bool
    town: str
    animal: str
    food: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.family}"

    @property
    def subject(self) -> str:
        return "she" if self.female else "he"

    @property
    def possessive(self) -> str:
        return "her" if self.female else "his"

    def fact(self, attribute: str) -> str:
        """The value of one of `ATTRIBUTES`."""
        return {"town": self.town, "animal": self.animal, "food": self.food}[attribute]


@cache
def people() -> tuple[Person, ...]:
    """All 384 people. Each value of an attribute is true of 24 of them, so no answer is likelier than another."""
    rng = random.Random(WORLD_SEED)
    names = [
        (first, family, first in _WOMEN)
        for first in (*_WOMEN, *_MEN)
        for family in rng.sample(_FAMILIES, _FAMILIES_PER_NAME)
    ]
    columns = {}
    for attribute, values in ATTRIBUTES.items():
        column = values * (len(names) // len(values))
        rng.shuffle(column)
        columns[attribute] = column
    return tuple(
        Person(*name, town, animal, food)
        for name, town, animal, food in zip(names, columns["town"], columns["animal"], columns["food"], strict=True)
    )


def held_out(kind: str, *combination: object, one_in: int = 8) -> bool:
    """Whether a combination is kept out of training, and so may be asked in a task.

    Training text and tasks both ask here, which is what keeps them apart: a hash of the combination
    decides, about one in `one_in` is held out.
    """
    text = "|".join([kind, *map(str, combination)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % one_in == 0


def sum_held_out(left: int, sign: str, right: int) -> bool:
    """As `held_out` for a sum; 3 + 4 and 4 + 3 go together."""
    pair = sorted((left, right)) if sign == "+" else (left, right)
    return held_out("sum", sign, *pair)


def plural(thing: str) -> str:
    """The plural of one of `THINGS`."""
    return f"{thing}es" if thing.endswith("x") else f"{thing}s"


def a(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
