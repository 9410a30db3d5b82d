"""Tokens, operations and bytes of a request, counted: what the figures of all levels are divided by.

A matrix product of m × k and k × n takes 2 m k n operations. Bytes are those that have to come from memory at least
once: the weights, and keys and values; what stays in caches is not counted, so that the limit is never put too low.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.planning.profiling import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A model at one width. `body` are the parameters of all matrices but embedding and last layer, `head` those of the
    last layer; `cache_values` are the numbers that one token's keys and values take, `itemsize` the bytes of each.
    `attended` are the query values of a token in all layers, heads × head size × layers.
    """

    body: int
    head: int
    cache_values: int
    attended: int
    itemsize: int

    @property
    def weight_bytes(self) -> int:
        """Of what a pass reads: the embedding's rows are too few to count."""
        return (self.body + self.head) * self.itemsize


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be computed and moved at the least."""

    operations: float
    bytes: float


def tokens_in(workload: Workload, batch: int) -> int:
    return batch * workload.prompt_tokens


def decode_steps(workload: Workload) -> int:
    """The first new token is the prefill's."""
    return workload.new_tokens - 1


def tokens_out(workload: Workload, batch: int) -> int:
    return batch * workload.new_tokens


def prefill_work(shape: Shape, prompt: int, batch: int) -> Work:
    """Of `batch` prompts; logits are computed of their last tokens alone. Attention is causal: half of the square."""
    operations = 2 * shape.body * batch * prompt + 2 * shape.head * batch + 2 * shape.attended * batch * prompt**2
    return Work(float(operations), float(shape.weight_bytes + batch * prompt * shape.cache_values * shape.itemsize))


def step_work(shape: Shape, context: float, batch: int) -> Work:
    """Of one step of decoding, with `context` tokens before the new one."""
    operations = 2 * (shape.body + shape.head) * batch + 4 * shape.attended * batch * context
    return Work(float(operations), float(shape.weight_bytes + batch * context * shape.cache_values * shape.itemsize))


def mean_context(workload: Workload) -> float:
    """Tokens that a step of decoding looks back on, over all steps of a request."""
    return workload.prompt_tokens + (decode_steps(workload) - 1) / 2


@dataclass(frozen=True, slots=True)
class Limit:
    """`share` of the rate that binds, which is `by`: copy or matrix."""

    share: float
    by: str


def limit(work: Work, seconds: float, copy_rate: float | None, matrix_rate: float | None) -> Limit | None:
    """How near a figure comes to what the machine can do; None where its rates are not known.

    Args:
        copy_rate: bytes a second.
        matrix_rate: operations a second.
    """
    if not copy_rate or not matrix_rate or seconds <= 0:
        return None
    copying, multiplying = work.bytes / copy_rate, work.operations / matrix_rate
    return Limit(max(copying, multiplying) / seconds, "copy" if copying >= multiplying else "matrix")
