"""Log-likelihoods of many continuations, from packed prefix trees."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.batching import is_out_of_memory, release_memory
from engine.inference.lm_head import LMHead
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.last_layer import MANY, hidden_at
from engine.inference.tree.packing import Packer
from engine.inference.tree.tree import Scored, TreeRow

# Called after every batch with the requests and tokens it finished; may raise to stop.
Progress = Callable[[int, int], None]

# Rows that a GPU may have queued: enough to keep it busy, few enough to stop soon.
_IN_FLIGHT = 2


class Batch:
    """Sequences that are scored together, again and again; what was laid out for them is kept."""

    def __init__(self, sequences: Sequence[Scored], weights: Sequence[int]) -> None:
        """`weights` is what each request, by its index, counts as progress."""
        self.sequences = sequences
        self.weights = weights
        self.rows: tuple[int, list[TreeRow]] | None = None
        self.on_device: dict[int, DeviceRow] = {}


class TreeScorer:
    """Scores sequences with one model, whose width may change between calls.

    `max_tokens` bounds a row; it is halved for good when memory runs out.
    """

    def __init__(self, model: PreTrainedModel, head: LMHead, max_tokens: int, attention: Attention) -> None:
        self._model: Any = model
        self._head = head
        self._device = model.device
        self.max_tokens = max_tokens
        self._attention = attention
        self._least = MANY if model.dtype.itemsize == 2 else 1
        self._pack = Packer(model, attention)

    def lay_out(self, batch: Batch) -> None:
        """Pack a batch ahead of scoring it."""
        self._rows(batch)

    def score(self, batch: Batch, progress: Progress) -> list[tuple[float, bool]]:
        """(log-likelihood, whether greedy decoding gives it) of every request, in the order of their indices.

        Raises:
            torch.OutOfMemoryError: a row with a single sequence does not fit.
        """
        finished: list[tuple[TreeRow, Tensor, Tensor]] = []
        in_flight: deque[tuple[TreeRow, torch.cuda.Event]] = deque()

        def settle(row: TreeRow) -> None:
            done = sum(batch.weights[index] for sequence in row.sequences for index, _ in sequence.requests)
            progress(done, len(row.tokens))

        waiting = deque(self._rows(batch))
        while waiting:
            row = waiting.popleft()
            scores = self._try(row, batch)
            if scores is None:
                self.max_tokens = max(1, len(row.tokens) // 2)
                batch.on_device.clear()
                waiting = deque(self._pack([s for some in (row, *waiting) for s in some.sequences], self.max_tokens))
                continue
            finished.append((row, *scores))
            if self._device.type == "cuda":
                in_flight.append((row, torch.cuda.Event()))
                in_flight[-1][1].record()
                if len(in_flight) > _IN_FLIGHT:
                    done_row, event = in_flight.popleft()
                    event.synchronize()
                    settle(done_row)
            else:
                settle(row)
        for done_row, event in in_flight:
            event.synchronize()
            settle(done_row)
        return _gather(finished, len(batch.weights))

    def _rows(self, batch: Batch) -> list[TreeRow]:
        if batch.rows is None or batch.rows[0] != self.max_tokens:
            batch.on_device.clear()
            batch.rows = self.max_tokens, self._pack(batch.sequences, self.max_tokens)
        return batch.rows[1]

    def _try(self, row: TreeRow, batch: Batch) -> tuple[Tensor, Tensor] | None:
        """Log-probability and greedy flag of each target, on the device; None if the row does not fit."""
        try:
            return self._run(self._on_device(row, batch))
        except RuntimeError as error:
            if len(row.sequences) == 1 or not is_out_of_memory(error):
                raise
        # Outside the except clause, whose traceback keeps the failed row's tensors alive.
        release_memory()
        return None

    def _on_device(self, row: TreeRow, batch: Batch) -> DeviceRow:
        if not self._attention.still_tiles:
            batch.on_device.clear()
            return DeviceRow(row, self._device, self._attention)  # dense masks are large, and cheap to make again
        if id(row) not in batch.on_device:
            batch.on_device[id(row)] = DeviceRow(row, self._device, self._attention)
        return batch.on_device[id(row)]

    @torch.no_grad()
    def _run(self, row: DeviceRow) -> tuple[Tensor, Tensor]:
        hidden = hidden_at(self._model, row, row.nodes, least=self._least)
        return self._head.score(hidden, row.targets)


def _gather(finished: Sequence[tuple[TreeRow, Tensor, Tensor]], count: int) -> list[tuple[float, bool]]:
    """Sum tokens up to requests, in float64 on the CPU, after one transfer."""
    if not finished:
        return []
    owners = np.concatenate([row.owners for row, _, _ in finished])
    log_probabilities = torch.cat([scores for _, scores, _ in finished]).cpu().double().numpy()
    misses = torch.cat([~greedy for _, _, greedy in finished]).cpu().numpy()
    sums = np.bincount(owners, log_probabilities, minlength=count)
    missed = np.bincount(owners, misses, minlength=count)
    return list(zip(sums.tolist(), (missed == 0).tolist(), strict=True))
