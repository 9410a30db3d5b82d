"""Log-likelihoods of many continuations, each sequence by itself: for models whose trees cannot be packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from engine.worker.batching import Batcher
from engine.worker.head import Head
from engine.worker.tree import Scored
from engine.worker.tree_scorer import Batch, Progress


class PlainScorer:
    """Scores padded batches of sequences with the model's own forward pass, as lm-eval's `hf` backend does.

    `max_tokens` of a batch, padding included, are halved for good when memory runs out.
    """

    def __init__(self, model: PreTrainedModel, head: Head, max_tokens: int) -> None:
        self._model: Any = model
        self._head = head
        self._batcher = Batcher(max_tokens)

    def lay_out(self, batch: Batch) -> None:
        """Nothing is laid out ahead."""

    def score(self, batch: Batch, progress: Progress) -> list[tuple[float, bool]]:
        """(log-likelihood, whether greedy decoding gives it) of every request, in the order of their indices.

        Raises:
            torch.OutOfMemoryError: a single sequence does not fit.
        """
        scores = [(0.0, True)] * len(batch.weights)

        def work(sequences: Sequence[Scored]) -> None:
            for index, score in self._score(sequences):
                scores[index] = score
            done = sum(batch.weights[index] for sequence in sequences for index, _ in sequence.requests)
            progress(done, sum(len(sequence.tokens) for sequence in sequences))

        longest_first = sorted(batch.sequences, key=lambda sequence: -len(sequence.tokens))
        self._batcher.run(longest_first, lambda sequence: len(sequence.tokens), work)
        return scores

    @torch.no_grad()
    def _score(self, sequences: Sequence[Scored]) -> list[tuple[int, tuple[float, bool]]]:
        # Padded on the right, where no earlier token sees it.
        tokens = np.zeros((len(sequences), len(sequences[0].tokens)), np.int64)
        rows, places, targets, owners = [], [], [], []
        for row, sequence in enumerate(sequences):
            length = len(sequence.tokens)
            tokens[row, :length] = sequence.tokens
            for index, continuation in sequence.requests:
                rows.append(np.full(len(continuation), row))
                places.append(np.arange(length - len(continuation), length))
                targets.append(continuation)
                owners.append(index)
        device = self._model.device
        hidden = self._model.base_model(torch.from_numpy(tokens).to(device), use_cache=False).last_hidden_state
        at = [torch.from_numpy(np.concatenate(some)).to(device) for some in (rows, places, targets)]
        found, greedy = (made.cpu() for made in self._head.score(hidden[at[0], at[1]], at[2]))
        sizes = [len(continuation) for continuation in targets]
        return [
            (index, (float(own.double().sum()), bool(is_greedy.all())))
            for index, own, is_greedy in zip(owners, found.split(sizes), greedy.split(sizes), strict=True)
        ]
