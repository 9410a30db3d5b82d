"""Log-likelihoods of many continuations, each sequence by itself: for models whose trees cannot be packed.

Nothing is padded: such models may see to the end of a row, wherever a sequence of it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel

from engine.inference.batching import Batcher
from engine.inference.lengths import NO_MATTER, Lengths
from engine.inference.lm_head import LMHead
from engine.inference.tree.tree import Scored
from engine.inference.tree.tree_scorer import Batch, Progress


class PlainScorer:
    """Scores batches of sequences of one length with the model's own forward pass, as lm-eval's `hf` backend does.

    `max_tokens` of a batch are halved for good when memory runs out.
    """

    def __init__(self, model: PreTrainedModel, head: LMHead, max_tokens: int, lengths: Lengths = NO_MATTER) -> None:
        self._model: Any = model
        self._head = head
        self._lengths = lengths
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

        def length(sequence: Scored) -> int:
            return len(sequence.tokens)

        for _, alike in groupby(sorted(batch.sequences, key=length, reverse=True), length):
            self._batcher.run(list(alike), length, work)
        return scores

    @torch.no_grad()
    def _score(self, sequences: Sequence[Scored]) -> list[tuple[int, tuple[float, bool]]]:
        tokens = np.stack([sequence.tokens for sequence in sequences])
        length = tokens.shape[1]
        rows, places, targets, owners = [], [], [], []
        for row, sequence in enumerate(sequences):
            for index, continuation in sequence.requests:
                rows.append(np.full(len(continuation), row))
                places.append(np.arange(length - len(continuation), length))
                targets.append(continuation)
                owners.append(index)
        device = self._model.device
        with self._lengths.pinned(length):
            hidden = self._model.base_model(torch.from_numpy(tokens).to(device), use_cache=False).last_hidden_state
        at = [torch.from_numpy(np.concatenate(some)).to(device) for some in (rows, places, targets)]
        found, greedy = (made.cpu() for made in self._head.score(hidden[at[0], at[1]], at[2]))
        sizes = [len(continuation) for continuation in targets]
        return [
            (index, (float(own.double().sum()), bool(is_greedy.all())))
            for index, own, is_greedy in zip(owners, found.split(sizes), greedy.split(sizes), strict=True)
        ]
