"""How much calibration text a model needs, and in sequences of which length: arithmetic without torch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import UserError

GPU_TOKENS = 131_072
CPU_TOKENS_PER_NEURON = 16
FEWEST_PER_NEURON = 4
"""With fewer tokens than a few a neuron, least squares fits what chance put into them."""
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
        usual = (_OWN_LENGTH if own_text else _TEXT_LENGTH) if on_gpu else _CPU_LENGTH
        return cls(
            tokens=tokens or (max(GPU_TOKENS, fewest) if on_gpu else CPU_TOKENS_PER_NEURON * intermediate_size),
            length=length or min(usual, context),
            fewest=fewest,
        )
