"""A loaded model that writes text by itself, without lm-eval: for machines that have torch and transformers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel

from engine.inference.batching import batch_tokens_for
from engine.inference.decode.generator import Generator
from engine.inference.lengths import Lengths
from engine.inference.lm_head import LMHead
from engine.inference.tree.trial import best_attention


@dataclass(frozen=True, slots=True)
class OwnWriting:
    """What `engine.calibration.own_text` asks of a model."""

    model: Any
    generator: Generator | None
    lengths: Lengths
    batch_tokens: int
    prefix_token_id: int | None
    eot_token_id: int | None

    @classmethod
    def of(cls, model: PreTrainedModel, *, begin: int, end: int | None) -> OwnWriting:
        """`begin` and `end` are the tokens that begin and end a text."""
        attention, _ = best_attention(model)
        generator = Generator(model, LMHead(model, attention.overrides), attention)
        return cls(model, generator, attention.lengths, batch_tokens_for(model), begin, end)
