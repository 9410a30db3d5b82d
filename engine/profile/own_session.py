"""Our generator's passes, as an evaluation has them."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from engine.evaluation.lm import PrunedLM
from engine.inference.decode.decoder import Decoder
from engine.inference.decode.kv_cache import KVCache
from engine.profile.session import CannotMeasureError, Mark


class OwnSession:
    """Raises:
    CannotMeasureError: texts of this model are transformers' own.
    """

    def __init__(self, lm: PrunedLM, prompts: Tensor, new_tokens: int, *, captures: bool) -> None:
        if lm.generator is None:
            raise CannotMeasureError(
                "our generator does not write this model's texts: its passes are transformers' own"
            )
        self._generator = lm.generator
        self._generator.clear_cache()
        self._prompts = [row.astype(np.int64) for row in prompts.cpu().numpy()]
        self._length, self._steps = prompts.shape[1], new_tokens - 1
        self._max_tokens = max(lm.batch_tokens, self._length)
        self._captures = captures
        self._cache: KVCache | None = None
        self._decoder: Decoder | None = None
        self._first: Tensor | None = None

    def prefill(self) -> None:
        self._decoder = self._cache = None
        self._cache = self._generator.prefill(
            self._prompts, length=self._length + self._steps + 1, max_tokens=self._max_tokens
        )
        self._first = self._cache.tokens.clone()

    def decode(self, mark: Mark) -> None:
        cache = self._cache
        assert cache is not None
        assert self._first is not None
        if self._decoder is None:
            self._decoder = self._generator.decoder(cache, captures=self._captures)
        cache.tokens.copy_(self._first)
        cache.positions.fill_(self._length)
        self._decoder.run(self._steps, self._length, after_each=mark)

    def written(self) -> Tensor:
        assert self._cache is not None
        return self._cache.tokens
