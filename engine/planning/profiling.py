"""What a profile measures of each level: the requests, who answers them and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import UserError

ENGINES = ("transformers", "ours", "vllm")
MODES = ("eager", "graphs")
LARGEST = 0
"""A batch of this many requests stands for the largest that fits."""
OPEN = "as many as fit"
"""Stands in the name of a workload with such a batch, in place of how many."""


@dataclass(frozen=True, slots=True)
class Workload:
    """`batch` requests at a time (`LARGEST`: as many as fit), each of `prompt_tokens`, answered by `new_tokens`."""

    name: str
    batch: int
    prompt_tokens: int
    new_tokens: int

    @classmethod
    def plain(cls, batch: int, prompt_tokens: int, new_tokens: int) -> Workload:
        at_a_time = OPEN if batch == LARGEST else f"{batch} at a time"
        return cls(f"{prompt_tokens} in, {new_tokens} out, {at_a_time}", batch, prompt_tokens, new_tokens)


# The study's six, by the names in its files and with its batches and numbers of new tokens. It publishes no lengths of
# prompts: these are ours, near the benchmarks' usual ones, so that every level reads and writes the same.
NAMED = {
    workload.name: workload
    for workload in (
        Workload("hellaswag_latency_b1", 1, 96, 20),
        Workload("mmlu_latency_b1", 1, 512, 50),
        Workload("ifeval_latency_b1", 1, 64, 150),
        Workload("hellaswag_throughput_b8", 8, 96, 20),
        Workload("mmlu_throughput_b8", 8, 512, 50),
        Workload("ifeval_throughput_b8", 8, 64, 150),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlan:
    """Every workload is measured on every level, `rounds` times over, in an order drawn anew each round.

    `prompts` and `batches` are crossed and answered by `new_tokens` each, `workloads` come as they are named.
    `pad_to` is the multiple of the padded widths. `seconds` bounds the whole, what is not reached by then is written
    down as missing; `seconds_each` bounds the repeats of one figure. `energy` says whether energy is read at all.
    None stands for what suits the device.
    """

    prompts: tuple[int, ...] | None = None
    batches: tuple[int, ...] | None = None
    new_tokens: int | None = None
    workloads: tuple[str, ...] = ()
    engines: tuple[str, ...] = ("transformers", "ours")
    pad_to: int = 64
    rounds: int = 2
    seconds: float | None = None
    seconds_each: float | None = None
    energy: bool = True

    def __post_init__(self) -> None:
        for option, values in (("--prompts", self.prompts or ()), ("--new-tokens", (self.new_tokens or 2,))):
            if any(value < 2 for value in values):
                raise UserError(f"{option}: a request has at least two tokens in and two out.")
        for engine in self.engines:
            if engine not in ENGINES:
                raise UserError(f"There is no engine '{engine}': choose one or more of {', '.join(ENGINES)}.")
        for name in self.workloads:
            if name not in NAMED:
                raise UserError(f"There is no workload '{name}': choose one or more of {', '.join(NAMED)}.")
        if not self.engines:
            raise UserError("--engines names no engine: give one or more of " + ", ".join(ENGINES) + ".")
        if self.pad_to < 1 or self.rounds < 1:
            raise UserError("--pad-to and --rounds are whole numbers above zero.")
        if any(bound is not None and bound <= 0 for bound in (self.seconds, self.seconds_each)):
            raise UserError("--seconds and --seconds-each are above zero.")

    def requests(self, *, on_gpu: bool) -> list[Workload]:
        """The workloads in the order of their weight: what comes first is there when the time is up."""
        prompts = self.prompts or ((128, 512, 2048, 8192) if on_gpu else (64,))
        batches = self.batches if self.batches is not None else ((1, 8, 64, LARGEST) if on_gpu else (1, 8))
        new_tokens = self.new_tokens or (32 if on_gpu else 8)
        if self.workloads and self.prompts is None and self.batches is None:
            return [NAMED[name] for name in self.workloads]
        plain = [Workload.plain(batch, prompt, new_tokens) for prompt in prompts for batch in batches]
        return plain + [NAMED[name] for name in self.workloads]

    def total_seconds(self, *, on_gpu: bool) -> float:
        return self.seconds or (1800.0 if on_gpu else 20.0)

    def each_seconds(self, *, on_gpu: bool) -> float:
        return self.seconds_each or (2.0 if on_gpu else 0.05)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ProfilePlan:
        told = dict(data)
        for name in ("prompts", "batches", "workloads", "engines"):
            if isinstance(told.get(name), list):
                told[name] = tuple(told[name])
        return cls(**told)


def parse_batches(text: str) -> tuple[int, ...]:
    """`1,8,64,max`.

    Raises:
        UserError: one is neither a number above zero nor `max`.
    """
    found: list[int] = []
    for one in text.split(","):
        if one.strip() == "max":
            found.append(LARGEST)
        elif not one.strip().isdecimal() or not int(one):
            raise UserError(f"--batches: '{one.strip()}' is no number of requests: give some such as 1,8,64,max.")
        else:
            found.append(int(one))
    return tuple(found)


def parse_prompts(text: str) -> tuple[int, ...]:
    """`128,512`.

    Raises:
        UserError: one is no number above zero.
    """
    parts = [one.strip() for one in text.split(",")]
    if wrong := next((one for one in parts if not one.isdecimal() or not int(one)), None):
        raise UserError(f"--prompts: '{wrong}' is no number of tokens: give some such as 128,2048.")
    return tuple(map(int, parts))


def parse_words(option: str, text: str | None) -> tuple[str, ...]:
    """Raises:
    UserError: the option was given without a word.
    """
    if text is None:
        return ()
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        raise UserError(f"{option} names nothing.")
    return words
