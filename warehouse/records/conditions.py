"""What must be equal, beside model, task, version and shots, for two scores to be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from warehouse.errors import UserError

# random, numpy, torch and few-shot sampling, as lm-eval seeds them where nobody says otherwise.
Seeds = tuple[int, int, int, int]
DEFAULT_SEEDS: Seeds = (0, 1234, 1234, 1234)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The circumstances of a measurement. None is unknown; an empty text is known to be none.

    `documents` is "all" or the limit as lm-eval takes it ("100", "0.1"). `seeds` are four numbers in lm-eval's order
    (random, numpy, torch, few-shot), separated by commas. `chat_template_hash` is the sha256 of the template's text,
    empty where none was applied.
    `generation` is canonical JSON of settings that override the tasks' own. `quantization`, `adapter` and
    `model_args` are what the model was loaded with beside its name. `published` figures stand in a paper.
    """

    documents: str | None = None
    dtype: str | None = None
    seeds: str | None = None
    chat_template: bool | None = None
    chat_template_hash: str | None = None
    system_prompt: str | None = None
    fewshot_as_multiturn: bool | None = None
    generation: str | None = None
    quantization: str | None = None
    adapter: str | None = None
    model_args: str | None = None
    published: bool = False
    repair: str | None = None
    calibration: str | None = None

    def __post_init__(self) -> None:
        if self.seeds is not None and len(self.seeds.split(",")) != 4:
            raise ValueError(f"seeds must be four numbers, not {self.seeds!r}")

    def label(self) -> str:
        """For people: what is known and not a matter of course, as in "all documents, float32, chat template"."""
        parts = [
            None
            if self.documents is None
            else "all documents"
            if self.documents == "all"
            else f"limit {self.documents}",
            self.dtype,
            _seeds_label(self.seeds),
            "chat template" if self.chat_template else None,
            "multi-turn shots" if self.fewshot_as_multiturn else None,
            f"system instruction {json.dumps(self.system_prompt, ensure_ascii=False)}" if self.system_prompt else None,
            f"generation {self.generation}" if self.generation else None,
            self.quantization,
            f"adapter {self.adapter}" if self.adapter else None,
            self.model_args,
            "published" if self.published else None,
            f"repair {self.repair}" if self.repair not in (None, "none") else None,
            f"calibrated on {self.calibration}" if self.calibration else None,
        ]
        return ", ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        """What is known of it, as plain values for a journal."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conditions:
        """What `to_dict` gave; what a newer program adds is not ours to keep.

        Raises:
            ValueError: a value is of another type.
        """
        values = {field.name: data[field.name] for field in fields(cls) if data.get(field.name) is not None}
        for name, value in values.items():
            if not isinstance(value, bool if name in _FLAGS else str):
                raise ValueError(f"{name} is {value!r}")
        return cls(**values)


def documents(limit: float | None) -> str:
    """A limit in its one spelling: "all", a whole number, or a share below one."""
    if limit is None:
        return "all"
    return str(int(limit)) if limit >= 1 and float(limit).is_integer() else repr(float(limit))


def parse_seeds(text: str) -> Seeds:
    """What lm-eval's --seed takes: a number for all four, or four of them.

    Raises:
        UserError: it is neither.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) < 2**32 for part in parts) or len(parts) not in (1, 4):
        raise UserError(
            f"'{text}' is no seed: give one number for all, or four (random, numpy, torch, few-shot), such as "
            "0,1234,1234,1234, each from 0 to 4294967295."
        )
    numbers = [int(part) for part in parts]
    random, numpy, torch, fewshot = numbers if len(numbers) == 4 else numbers * 4
    return random, numpy, torch, fewshot


def seeds_text(seeds: Seeds) -> str:
    """As `Conditions.seeds` has them."""
    return ",".join(map(str, seeds))


def old_seeds(seed: int) -> Seeds:
    """What a run drew that has one `seed` in its plan: it was added to lm-eval's own."""
    random, numpy, torch, fewshot = DEFAULT_SEEDS
    return seed + random, seed + numpy, seed + torch, seed + fewshot


def short_seeds(seeds: Seeds) -> str:
    """The shortest text that `parse_seeds` reads as these."""
    return str(seeds[0]) if len(set(seeds)) == 1 else seeds_text(seeds)


def _seeds_label(seeds: str | None) -> str | None:
    if seeds is None or seeds == seeds_text(DEFAULT_SEEDS):
        return None
    different = set(seeds.split(","))
    return f"seed {different.pop()}" if len(different) == 1 else f"seeds {seeds}"


_FLAGS = ("chat_template", "fewshot_as_multiturn", "published")
