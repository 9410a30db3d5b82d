"""Filling batches by tokens, and carrying on with smaller ones when the memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from transformers import PreTrainedModel

from engine.planning.memory import CPU_TOKENS, batch_tokens

Row = TypeVar("Row")


def default_batch_tokens(device: torch.device, *, hidden_size: int, intermediate_size: int, dtype: torch.dtype) -> int:
    """Tokens of one forward pass that fit the free memory, asked for once the weights are loaded."""
    if device.type != "cuda":
        return CPU_TOKENS
    free, _ = torch.cuda.mem_get_info(device)
    return batch_tokens(free, hidden_size=hidden_size, intermediate_size=intermediate_size, itemsize=dtype.itemsize)


def batch_tokens_for(model: PreTrainedModel) -> int:
    """`default_batch_tokens` of a loaded model."""
    text = model.config.get_text_config()
    return default_batch_tokens(
        model.device, hidden_size=text.hidden_size, intermediate_size=text.intermediate_size, dtype=model.dtype
    )


class Batcher:
    """Runs rows in batches of at most `tokens` tokens, padding included.

    When a batch does not fit the memory, `tokens` is halved, for good, and the batch is tried again in parts.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    def run(self, rows: Sequence[Row], length: Callable[[Row], int], work: Callable[[Sequence[Row]], None]) -> None:
        """Call `work` with consecutive batches; `rows` are sorted by falling length.

        Raises:
            torch.OutOfMemoryError: a single row does not fit.
        """
        start = 0
        while start < len(rows):
            count = max(1, self.tokens // max(1, length(rows[start])))
            batch = rows[start : start + count]
            if self._fits(batch, work):
                start += len(batch)
            else:
                self.tokens = max(1, len(batch) // 2) * length(batch[0])

    def _fits(self, batch: Sequence[Row], work: Callable[[Sequence[Row]], None]) -> bool:
        try:
            work(batch)
        except RuntimeError as error:
            if len(batch) == 1 or not is_out_of_memory(error):
                raise
        else:
            return True
        # Outside the except clause, whose traceback keeps the failed batch's tensors alive.
        release_memory()
        return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the accelerator's or the host's memory is too small for what was tried."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def release_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
