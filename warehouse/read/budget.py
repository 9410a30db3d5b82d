"""A budget in words: `--max-memory 1.6GB --max-ms-per-token 30 --keep mmlu=0.9 --lose piqa=2`."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from warehouse.errors import UserError

_SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[KMGT]i?B|B)?", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_OPTIONS = ("--max-memory", "--max-ms-per-token", "--keep", "--lose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`memory` in bytes, `ms` a token of one request; `keep` says which share of the unpruned score (0.9) benchmarks
    have to keep, `lose` how many points (of 100) they may lose.
    """

    memory: float | None = None
    ms: float | None = None
    keep: Mapping[str, float] = field(default_factory=dict[str, float])
    lose: Mapping[str, float] = field(default_factory=dict[str, float])

    @classmethod
    def of(cls, max_memory: str | None, max_ms: float | None, keep: Sequence[str], lose: Sequence[str]) -> Budget:
        """As the options of `choose` are written.

        Raises:
            UserError: one of them cannot be read.
        """
        if max_ms is not None and not 0 < max_ms < math.inf:
            raise UserError(f"--max-ms-per-token {max_ms:g}: give a number above zero.")
        kept = _named("--keep", keep)
        if wrong := next((name for name, share in kept.items() if not 0 < share <= 1), None):
            raise UserError(f"--keep {wrong}: a share is above 0 and up to 1, such as 0.9.")
        memory = None if max_memory is None else _bytes(max_memory)
        return cls(memory=memory, ms=max_ms, keep=kept, lose=_named("--lose", lose))

    @classmethod
    def of_words(cls, text: str) -> Budget:
        """As on the command line, with or without the dashes before an option's name.

        Raises:
            UserError: it cannot be read.
        """
        told: dict[str, list[str]] = {option: [] for option in _OPTIONS}
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise UserError(f"A quotation mark is open in {text}.") from error
        while words:
            option = "--" + words.pop(0).removeprefix("--")
            if option not in told or not words:
                raise UserError(f"A budget is written as {' … '.join(_OPTIONS)} …: {option.removeprefix('--')} is not.")
            told[option].append(words.pop(0))
        ms = told["--max-ms-per-token"]
        try:
            most = float(ms[-1]) if ms else None
        except ValueError as error:
            raise UserError(f"--max-ms-per-token {ms[-1]}: give a number above zero.") from error
        return cls.of(next(iter(told["--max-memory"][-1:]), None), most, told["--keep"], told["--lose"])


def _bytes(text: str) -> float:
    match = _SIZE.fullmatch(text.strip())
    if match is None or not float(match["number"]):
        raise UserError(f"--max-memory {text} is no size: give one such as 1.6GB or 1500MiB.")
    return float(match["number"]) * _UNITS[(match["unit"] or "B").lower()]


def _named(option: str, texts: Sequence[str]) -> dict[str, float]:
    """`mmlu=0.9`, several with commas or in options of their own."""
    found: dict[str, float] = {}
    for text in (part.strip() for one in texts for part in one.split(",")):
        name, _, number = text.partition("=")
        wrong = UserError(f"{option} {text}: give a benchmark and a number, such as mmlu=0.9.")
        try:
            found[name.strip()] = float(number)
        except ValueError as error:
            raise wrong from error
        if not math.isfinite(found[name.strip()]):  # which nothing would break
            raise wrong
    return found
