"""Text that the unpruned model writes itself: sampled from the beginning of a text, at temperature 1."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

import numpy as np
import torch

from engine.errors import UserError
from engine.inference.decode.generator import Generator
from engine.inference.decode.sampling import SamplingParams
from engine.inference.lengths import Lengths
from engine.planning.calibration_amount import CalibrationAmount

_SHORTEST = 8  # tokens of a text on average, below which a model writes nothing to learn from
_AT_ONCE = 64  # texts, where transformers writes them


class Writing(Protocol):
    """A model that writes: what is asked of the language model that an evaluation uses, and no more."""

    @property
    def model(self) -> Any: ...
    @property
    def generator(self) -> Generator | None: ...
    @property
    def lengths(self) -> Lengths: ...
    @property
    def batch_tokens(self) -> int: ...
    @property
    def prefix_token_id(self) -> int | None: ...
    @property
    def eot_token_id(self) -> int | None: ...


def own_text(lm: Writing, amount: CalibrationAmount, *, seed: int, check: Callable[[], None]) -> list[list[int]]:
    """Texts of `amount.tokens` tokens together, each from the token that begins a text to the model's own end, or cut.

    The same seed gives the same texts, on the same device.

    Raises:
        UserError: no token begins a text, or the model ends its texts at once.
    """
    begin = lm.prefix_token_id
    if begin is None:
        raise UserError(
            "The model's tokenizer has no token that begins a text, so the model cannot write any by itself: give a "
            "text by --calibration FILE."
        )
    texts: list[list[int]] = []
    have = turn = 0
    mean = float(amount.length)
    while have < amount.tokens:
        count = int((amount.tokens - have) / mean) + 1
        drawn = Random(f"{seed}/{turn}").getrandbits(63)
        new = _drawn(lm, begin, count, amount.length - 1, drawn, check)
        texts += [[begin, *tokens] for tokens in new]
        have = sum(map(len, texts))
        mean, turn = have / len(texts), turn + 1
        if mean < _SHORTEST:
            raise UserError(
                f"The model ends the texts that it writes itself after {mean:.1f} tokens on average, too few to look "
                "at its neurons: give a text by --calibration FILE."
            )
    return up_to(texts, amount.tokens)


def up_to(texts: list[list[int]], tokens: int) -> list[list[int]]:
    """The first texts, the last of them cut, that have so many tokens."""
    chosen: list[list[int]] = []
    for text in texts:
        if tokens > 0:
            chosen.append(text[:tokens])
            tokens -= len(text)
    return chosen


def _drawn(lm: Writing, begin: int, count: int, new: int, seed: int, check: Callable[[], None]) -> list[list[int]]:
    """`count` texts of at most `new` tokens, without the tokens that begin and end them."""
    ends = _ends(lm)
    prompt = np.array([begin])
    lengths = lm.lengths
    if lm.generator is None or lengths.kind(1) != lengths.kind(new):
        made = _by_transformers(lm, begin, count, new, seed, check)
    else:

        def end_of(tokens: list[int], known: int) -> int | None:
            return next((at + 1 for at in range(known, len(tokens)) if tokens[at] in ends), None)

        made = lm.generator.generate(
            [prompt] * count,
            max_new_tokens=new,
            end_of=end_of,
            max_tokens=lm.batch_tokens,
            progress=lambda requests, tokens: check(),
            sampling=SamplingParams(samples=True, seed=seed),
        )
        lm.generator.clear_cache()
    return [_before(tokens, ends) for tokens in made]


def _before(tokens: list[int], ends: frozenset[int]) -> list[int]:
    return tokens[: next((at for at, token in enumerate(tokens) if token in ends), None)]


def _by_transformers(
    lm: Writing, begin: int, count: int, new: int, seed: int, check: Callable[[], None]
) -> list[list[int]]:
    torch.manual_seed(seed)
    made: list[list[int]] = []
    while len(made) < count:
        check()
        prompts = torch.full((min(_AT_ONCE, count - len(made)), 1), begin, device=lm.model.device)
        written = lm.model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=new,
            pad_token_id=min(_ends(lm), default=0),
        )
        made += written[:, 1:].tolist()
    return made


def _ends(lm: Writing) -> frozenset[int]:
    told: Any = lm.model.generation_config.eos_token_id
    known = [told] if isinstance(told, int) else list(told or [])
    return frozenset(known if lm.eot_token_id is None else [*known, lm.eot_token_id])
