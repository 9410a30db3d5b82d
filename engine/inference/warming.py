"""A first pass of each kind before anything is asked: what they compile on a GPU takes seconds, and need not be waited
for where there is nothing to ask yet.
"""

from __future__ import annotations

import numpy as np

from engine.inference.decode.generator import Generator
from engine.inference.tree.tree import Ints, Scored
from engine.inference.tree.tree_scorer import Batch, TreeScorer

# Sequences, tokens of each and how many of these are asked for: a row of which few tokens are read is finished for them
# alone (`last_layer`), any other as a whole. All numbers are of the kind that most rows have, beyond 1 and even.
_ROWS = ((64, 128, 48), (64, 96, 96))
_PROMPTS, _PROMPT, _STEPS = 64, 32, 3
_FIRST_TOKEN, _TOKENS = 3, 1000  # any will do, but special ones


def warm_up_scoring(scorer: TreeScorer, *, vocab_size: int, max_length: int) -> None:
    """Score drawn sequences of up to `max_length` tokens, whose scores nobody wants.

    Raises:
        torch.OutOfMemoryError: a row with a single sequence does not fit.
    """
    for count, length, asked in _ROWS:
        length, asked = min(length, max_length), min(asked, max_length)
        sequences = _drawn(count, length, vocab_size)
        scored = [Scored(tokens, ((at, tokens[-asked:]),)) for at, tokens in enumerate(sequences)]
        scorer.score(Batch(scored, [1] * count), _nobody_waits)


def warm_up_decoding(generator: Generator, *, vocab_size: int, max_length: int, max_tokens: int) -> None:
    """Write a few tokens after drawn prompts; arguments and error as above, `max_tokens` of one pass over prompts."""
    prompts = _drawn(_PROMPTS, min(_PROMPT, max(1, max_length - _STEPS)), vocab_size)
    generator.generate(
        prompts,
        max_new_tokens=_STEPS,
        end_of=lambda tokens, known: None,
        max_tokens=max_tokens,
        progress=_nobody_waits,
    )
    generator.clear_cache()


def _drawn(count: int, length: int, vocab_size: int) -> list[Ints]:
    rng = np.random.default_rng(0)
    return list(rng.integers(min(_FIRST_TOKEN, vocab_size - 1), min(_TOKENS, vocab_size), (count, length)))


def _nobody_waits(requests: int, tokens: int) -> None:
    """Progress of what is no request."""
