"""How much calibration text a model needs, and in sequences of which length: arithmetic without torch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import UserError

GPU_TOKENS = 131_072
CPU_TOKENS_PER_NEURON = 16
CPU_TOKENS = 8192  # at least: text is what narrow models lack, and theirs is quick to have
FEWEST_PER_NEURON = 4
"""With fewer tokens than a few a neuron, least squares fits what chance put into them."""
GPU_DAMAGE_TOKENS, CPU_DAMAGE_TOKENS = 16_384, 4096
_FEWEST_FOR_DAMAGE = 256
_TEXT_LENGTH = 2048
_OWN_LENGTH = 512  # a step of decoding costs the same for many sequences as for few
_CPU_LENGTH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationAmount:
    """`tokens` in all, in sequences of at most `length`; fewer than `fewest` are not enough."""

    tokens: int
    length: int
    fewest: int

    @classmethod
    def chosen(
        cls,
        *,
        tokens: int | None,
        length: int | None,
        on_gpu: bool,
        own_text: bool,
        intermediate_size: int,
        context: int,
    ) -> CalibrationAmount:
        """What was asked for, and the rest chosen. `context` is the model's; `own_text` is what it writes itself.

        Raises:
            UserError: fewer tokens are asked for than the neurons need, or longer sequences than the model takes.
        """
        fewest = FEWEST_PER_NEURON * intermediate_size
        if tokens is not None and tokens < fewest:
            raise UserError(
                f"--calibration-tokens {tokens:,} is too few for layers of {intermediate_size:,} neurons: give at "
                f"least {fewest:,}, {FEWEST_PER_NEURON} for each."
            )
        if length is not None and not 2 <= length <= context:
            raise UserError(f"--calibration-length {length:,}: give 2 to {context:,}, the model's context.")
        return cls(
            tokens=tokens
            or (max(GPU_TOKENS, fewest) if on_gpu else max(CPU_TOKENS, CPU_TOKENS_PER_NEURON * intermediate_size)),
            length=length or _length(on_gpu, own_text, context),
            fewest=fewest,
        )

    @classmethod
    def for_damage(cls, *, on_gpu: bool, own_text: bool, context: int) -> CalibrationAmount:
        """Of the text that pruned models are held against the unpruned one on."""
        return cls(
            tokens=GPU_DAMAGE_TOKENS if on_gpu else CPU_DAMAGE_TOKENS,
            length=_length(on_gpu, own_text, context),
            fewest=_FEWEST_FOR_DAMAGE,
        )


def _length(on_gpu: bool, own_text: bool, context: int) -> int:
    usual = (_OWN_LENGTH if own_text else _TEXT_LENGTH) if on_gpu else _CPU_LENGTH
    return min(usual, context)
