"""Steps of decoding for many sequences at once.

On a CUDA GPU a step is captured as a graph, so that thousands of small kernels are launched at once. A graph is bound
to the cache, to the weights' slices and to the rotary factors it was captured on, which pinned lie in one place: it
serves every step of one call of `Generator.generate` on as many slots (and, without a kernel that reads each sequence
to its own end, that reads as far into the cache), and goes with it, so that no graph outlives a change of the model's
width.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.decode.decode_step import DecodeStep, decoding
from engine.inference.decode.kv_cache import KVCache
from engine.inference.decode.sampling import SamplingParams
from engine.inference.lengths import NO_MATTER, Lengths
from engine.inference.lm_head import LMHead
from engine.overrides.kernels import DecodeAttention

_BUCKET = 256  # where steps are captured, the cache is read up to the next multiple of this


class Decoder:
    """Advances slots token by token, with the model at the width it has when the cache is made.

    `kernel` is what attends, if not plain torch; `lengths` of the slots' sequences are of one kind. `captures` is
    False where no step may be captured as a graph.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        head: LMHead,
        cache: KVCache,
        sampling: SamplingParams,
        *,
        kernel: DecodeAttention | None = None,
        lengths: Lengths = NO_MATTER,
        captures: bool = True,
    ) -> None:
        self._model: Any = model
        self._head = head
        self._cache = cache
        self._sampling = sampling
        self._reads_own_ends = kernel is not None
        self._step = DecodeStep(cache, kernel)
        self._lengths = lengths
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor | None]] = {}
        self._stream = torch.cuda.Stream() if captures and cache.tokens.device.type == "cuda" else None

    def run(self, steps: int, longest: int, *, after_each: Callable[[], None] = lambda: None) -> Tensor:
        """Generate `steps` tokens for every slot: [steps, slots] int64.

        `longest` is the largest position any slot that matters has now; `after_each` is called when a step was given to
        the device.
        """
        made = self._cache.tokens.new_empty(steps, self._cache.count)
        # The last token of all is chosen, but not run.
        pinned = self._lengths.pinned(self._cache.length - 1)
        with pinned, decoding(self._model, self._step):
            for step in range(steps):
                reach = self._reach(longest + step)
                logits = self._forward(reach) if self._stream is None else self._replay(reach)
                if logits is not None:
                    self._cache.advance()
                    self._cache.choose(logits, self._sampling, self._cache.index)
                made[step] = self._cache.tokens
                after_each()
        return made

    def _reach(self, longest: int) -> int:
        """How far into the cache a step reads that goes to `longest`, one place or many at a time."""
        if self._reads_own_ends:
            return self._cache.length  # each slot is read to its own end
        bucket = 1 if self._stream is None else _BUCKET
        return min(-(-(longest + 1) // bucket) * bucket, self._cache.length)

    def _replay(self, reach: int) -> Tensor | None:
        if reach not in self._graphs:
            self._graphs[reach] = self._capture(reach)
        graph, logits = self._graphs[reach]
        graph.replay()
        return logits

    def _capture(self, reach: int) -> tuple[torch.cuda.CUDAGraph, Tensor | None]:
        tokens, positions = self._cache.tokens.clone(), self._cache.positions.clone()
        stream = self._stream
        assert stream is not None
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        # Not torch.cuda.graph, which first waits for the device and gives all cached memory back.
        try:
            with torch.cuda.stream(stream):
                self._forward(reach)  # libraries set themselves up outside of the capture
                pool = next(iter(self._graphs.values()))[0].pool() if self._graphs else None
                graph.capture_begin(pool)
                try:
                    logits = self._forward(reach)
                except BaseException:
                    with suppress(RuntimeError):  # a spoilt capture objects to its end, too; what spoilt it counts
                        graph.capture_end()
                    raise
                graph.capture_end()
        finally:
            torch.cuda.current_stream().wait_stream(stream)  # the rehearsal may still write to the cache
        # The rehearsal moved the slots on; what it wrote to the cache is written again by the real step.
        self._cache.tokens.copy_(tokens)
        self._cache.positions.copy_(positions)
        return graph, logits

    @torch.no_grad()
    def _forward(self, reach: int) -> Tensor | None:
        """A step up to the logits, or, where nothing but the most likely token matters, a whole one."""
        cache = self._cache
        self._step.begin(reach)
        hidden = self._model.base_model(
            cache.tokens[:, None], position_ids=cache.positions[:, None], use_cache=False
        ).last_hidden_state[:, -1]
        if not self._sampling.is_greedy:
            return self._head(hidden)  # transformers' processors are not made for capture in a graph
        cache.advance()
        cache.tokens.copy_(self._head.most_likely(hidden))
        return None
