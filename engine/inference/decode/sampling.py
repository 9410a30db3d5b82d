"""The next token, from the logits: the most likely one or a draw, under the options of transformers' `generate`.

Which options there are, what they default to and what they do to the logits is left to transformers: its own logits
processors run here, so that an option means what it means there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import LogitsProcessor
from transformers.generation import logits_process as known
from transformers.generation.configuration_utils import GenerationMode

# Those that look at each row of the logits by itself.
_OF_LOGITS = (
    known.TemperatureLogitsWarper,
    known.TopKLogitsWarper,
    known.TopPLogitsWarper,
    known.TopHLogitsWarper,
    known.MinPLogitsWarper,
    known.TypicalLogitsWarper,
    known.EpsilonLogitsWarper,
    known.EtaLogitsWarper,
    known.SuppressTokensLogitsProcessor,
    known.InfNanRemoveLogitsProcessor,
    known.LogitNormalization,
)
# Those that look at each sequence's last tokens as well, or at which ones it holds.
_OF_HISTORY = (
    known.RepetitionPenaltyLogitsProcessor,
    known.NoRepeatNGramLogitsProcessor,
    known.NoBadWordsLogitsProcessor,
    known.SequenceBiasLogitsProcessor,
)

Draws = NDArray[np.float32]

# Stands before a sequence's first token, and equals none.
NO_TOKEN = torch.iinfo(torch.int64).max


class LeftToTransformersError(Exception):
    """Options that only `generate` itself carries out; the message names them."""


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen. `seed` and a sequence's index fix its draws, whichever sequences run beside it."""

    processors: tuple[LogitsProcessor, ...] = ()
    samples: bool = False
    seed: int = 0

    @property
    def is_greedy(self) -> bool:
        """Whether it is the most likely token, and nothing else matters."""
        return not self.samples and not self.processors

    @property
    def needs_history(self) -> bool:
        return any(isinstance(processor, _OF_HISTORY) for processor in self.processors)

    def draws(self, index: int, count: int) -> Draws:
        """The uniform numbers in [0, 1) behind the first `count` tokens of a sequence."""
        return np.random.default_rng((self.seed, index)).random(count, dtype=np.float32)

    def __call__(self, logits: Tensor, history: Tensor | None, uniform: Tensor | None) -> Tensor:
        """Chosen tokens, int64 [sequences]; nothing here waits for the device.

        Args:
            logits: float32 [sequences, vocab_size].
            history: int64 [sequences, length], the tokens so far, aligned to the right behind NO_TOKEN.
            uniform: float32 [sequences], a draw for each.
        """
        for processor in self.processors:
            ids: Any = _only_tokens(history) if history is not None and _marks_tokens(processor) else history
            logits = processor(ids, logits)  # pyright: ignore[reportArgumentType]
        if not self.samples:
            return logits.argmax(-1)
        assert uniform is not None
        return _inverse_transform(logits.softmax(-1), uniform)


GREEDY = SamplingParams()


def sampling_params(model: Any, options: dict[str, Any], *, seed: int) -> SamplingParams:
    """What `model.generate(**options)` does with the logits, its generation config and transformers' defaults included.

    Raises:
        LeftToTransformersError: it does something that is not known here.
        ValueError: transformers refuses the options.
    """
    config, others = model._prepare_generation_config(None, **options)
    mode = config.get_generation_mode()
    if mode not in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE):
        raise LeftToTransformersError(mode.value.replace("_", " "))
    asked = [name for name in ("max_length", *others) if options.get(name) is not None]
    asked += [name for name in ("stop_strings", "max_time", "token_healing", "max_new_tokens") if getattr(config, name)]
    asked += ["num_return_sequences"] * ((config.num_return_sequences or 1) > 1)
    if asked:
        raise LeftToTransformersError(", ".join(asked))
    model._prepare_special_tokens(config, kwargs_has_attention_mask=True, device=model.device)
    # A prompt of one token, for the processors that would not be made without any: all of these are left anyway.
    prompt = torch.zeros(1, 1, dtype=torch.long, device=model.device)
    processors: Sequence[LogitsProcessor] = model._get_logits_processor(
        config, input_ids_seq_length=1, encoder_input_ids=prompt, device=model.device
    )
    unknown = [processor for processor in processors if type(processor) not in (*_OF_LOGITS, *_OF_HISTORY)]
    if unknown:
        raise LeftToTransformersError(", ".join(type(processor).__name__ for processor in unknown))
    return SamplingParams(tuple(processors), mode is GenerationMode.SAMPLE, seed)


def takes_rows_apart(model: Any, options: dict[str, Any]) -> bool:
    """Whether `model.generate(**options)` makes one text of each row, and goes on with it from step to step."""
    config, _ = model._prepare_generation_config(None, **options)
    modes = GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE
    return config.get_generation_mode() in modes and (config.num_return_sequences or 1) == 1


def _marks_tokens(processor: LogitsProcessor) -> bool:
    """Whether it looks up each token of a sequence in the vocabulary, wherever the token stands."""
    return isinstance(processor, known.RepetitionPenaltyLogitsProcessor) or getattr(processor, "ngram_size", None) == 1


def _only_tokens(history: Tensor) -> Tensor:
    """The same tokens, with nothing else before them: a sequence's last one instead."""
    return torch.where(history == NO_TOKEN, history[:, -1:], history)


def _inverse_transform(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """The token at which the cumulative probability passes each uniform number: one number a sequence is enough."""
    cumulative = probabilities.cumsum(-1)
    reached = uniform[:, None] * cumulative[:, -1:]
    found = torch.searchsorted(cumulative, reached, right=True).clamp(max=probabilities.shape[-1] - 1)
    # Sums that were rounded apart must not bring up a token that the options rule out.
    possible = probabilities.gather(-1, found) > 0
    return torch.where(possible, found, probabilities.argmax(-1, keepdim=True))[:, 0]
