"""lm-eval's LM interface, whatever scores sequences and writes texts behind it.

Scores are those of lm-eval's own `HFLM` (tokenisation, truncation, stop strings); requests become tokens once for all
levels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import configure_pad_token, resolve_max_length
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from engine.evaluation.encoding import Pair
from engine.evaluation.prompts import Prompts
from engine.evaluation.writer import Writer
from engine.inference.tree.tree import Ints, Scored
from engine.inference.tree.tree_scorer import Batch, Progress


class Scorer(Protocol):
    """Log-likelihoods of sequences, of whatever model."""

    def lay_out(self, batch: Batch) -> None: ...
    def score(self, batch: Batch, progress: Progress) -> list[tuple[float, bool]]: ...


class AnsweringLM(Prompts, TemplateLM):
    """lm-eval's view of one model, whatever computes it.

    Args:
        vocab_size: tokens that the model can read and foresee.
        progress: called after every batch with the requests and tokens it finished; may raise to stop.
    """

    _scorer: Scorer
    _writer: Writer

    def __init__(
        self,
        config: PretrainedConfig,
        tokenizer: PreTrainedTokenizerBase,
        *,
        vocab_size: int,
        progress: Progress = lambda requests, tokens: None,
    ) -> None:
        TemplateLM.__init__(self)
        self.progress = progress
        self.vocab_size = vocab_size
        self.max_length: int = resolve_max_length(config, tokenizer)
        padded = configure_pad_token(tokenizer, model_config=config)
        Prompts.__init__(self, padded, max_length=self.max_length, vocab_size=vocab_size)
        self._batches: dict[tuple[int, ...], tuple[Batch, list[int]]] = {}

    @property
    def eot_token_id(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._encoder.prefix

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        return self._encoder.tokens(string, add_special_tokens)

    def clear_cache(self) -> None:
        """Drop what is kept of earlier requests: their tokens, and how they are laid out."""
        self._encoder.clear_cache()
        self._batches.clear()
        self._writer.clear_cache()

    def prepare(self, request_type: str, requests: Sequence[Instance]) -> None:
        """Lay out requests that will be asked together; may run beside the asking of others."""
        if request_type in ("loglikelihood", "multiple_choice"):
            self._scorer.lay_out(self._batch(requests, _one_pair)[0])
        elif request_type == "loglikelihood_rolling":
            self._scorer.lay_out(self._batch(requests, _all_windows)[0])

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        return self._scorer.score(self._batch(requests, _one_pair)[0], self.progress)

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        batch, owners = self._batch(requests, _all_windows)
        totals = [0.0] * len(requests)
        for owner, (log_likelihood, _) in zip(owners, self._scorer.score(batch, self.progress), strict=True):
            totals[owner] += log_likelihood
        return totals

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        self.encode(requests)
        by_kwargs: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            by_kwargs[repr(_gen_kwargs(request))].append(index)
        answers: list[str] = [""] * len(requests)
        for indices in by_kwargs.values():
            prompts = [self._encoder[requests[index]] for index in indices]
            texts = self._writer.write(prompts, _gen_kwargs(requests[indices[0]]), self.progress)
            for index, text in zip(indices, texts, strict=True):
                answers[index] = text
        return answers

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        pairs = [
            (np.array(context, np.int32), np.array(continuation, np.int32)) for _, context, continuation in requests
        ]
        return self._scorer.score(Batch(self._sequences(pairs), [1] * len(pairs)), self.progress)

    def _batch(self, requests: Sequence[Instance], pairs_of: Callable[[Any], list[Pair]]) -> tuple[Batch, list[int]]:
        """The requests ready to be scored, laid out once for all levels, and the request each score belongs to."""
        key = tuple(id(request) for request in requests)
        if key not in self._batches:
            self.encode(requests)
            pairs, owners, weights = [], [], []
            for index, request in enumerate(requests):
                own = pairs_of(self._encoder[request])
                pairs += own
                owners += [index] * len(own)
                weights += [0] * (len(own) - 1) + [1] * bool(own)
            self._batches[key] = Batch(self._sequences(pairs), weights), owners
        return self._batches[key]

    def _sequences(self, pairs: Sequence[Pair]) -> list[Scored]:
        """What the model has to run on: requests that differ in their last token only share one sequence."""
        requests: dict[bytes, list[tuple[int, Ints]]] = defaultdict(list)
        sequences: dict[bytes, Ints] = {}
        for index, (context, continuation) in enumerate(pairs):
            # Left truncation as in HFLM.
            tokens = np.concatenate([context, continuation]).astype(np.int64)[-(self.max_length + 1) :][:-1]
            key = tokens.tobytes()
            sequences[key] = tokens
            requests[key].append((index, np.asarray(continuation, np.int64)))
        return [Scored(tokens, tuple(requests[key])) for key, tokens in sequences.items()]


def _one_pair(tokens: Pair) -> list[Pair]:
    return [tokens]


def _all_windows(windows: list[Pair]) -> list[Pair]:
    return windows


def _gen_kwargs(request: Instance) -> Any:
    args: tuple[Any, ...] = request.args
    return args[1]
