"""Generation for many prompts: shared beginnings computed once, finished sequences replaced at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.batching import is_out_of_memory, release_memory
from engine.inference.decode.decoder import Decoder
from engine.inference.decode.kv_cache import KVCache, cache_sizes
from engine.inference.decode.sampling import GREEDY, SamplingParams
from engine.inference.lm_head import LMHead
from engine.inference.tree.attention import Attention
from engine.inference.tree.device_row import DeviceRow
from engine.inference.tree.last_layer import hidden_at
from engine.inference.tree.packing import Packer
from engine.inference.tree.sending import sent
from engine.inference.tree.tree import Ints, Scored, TreeRow
from engine.inference.tree.tree_scorer import Progress
from engine.overrides.kernels import FillCache
from engine.planning.memory import CACHE_SHARE, CPU_CACHE, CPU_SEQUENCES, GPU_SEQUENCES

_CHUNK = 16  # steps between two looks at what has finished, at most
_CPU_CHUNK = 4  # where a look costs no wait
# Takes a sequence's tokens and how many of them are known to be before its end: how many there are up to the end.
EndOf = Callable[[list[int], int], int | None]


class Generator:
    """Continues prompts with one model, at the width it has when asked.

    When the memory does not hold as many sequences at a time as it seemed to, half as many are tried, for good.
    """

    def __init__(self, model: PreTrainedModel, head: LMHead, attention: Attention) -> None:
        self._model: Any = model
        self._head = head
        self._attention = attention
        self._pack = Packer(model, attention)
        self._known: dict[bytes, list[_Entrance]] = {}  # how prompts that begin together are laid out
        self._runs_ahead = model.device.type == "cuda"
        self._chunk = _CHUNK if self._runs_ahead else _CPU_CHUNK
        self._max_slots = GPU_SEQUENCES if model.device.type == "cuda" else CPU_SEQUENCES

    def clear_cache(self) -> None:
        """Drop what is kept of earlier prompts."""
        self._known.clear()

    def generate(
        self,
        prompts: Sequence[Ints],
        *,
        max_new_tokens: int,
        end_of: EndOf,
        max_tokens: int,
        progress: Progress,
        sampling: SamplingParams = GREEDY,
    ) -> list[list[int]]:
        """The tokens that decoding adds to each prompt, up to and with the one that ends it.

        Args:
            prompts: of lengths that are of one kind, with the new tokens too.
            end_of: asked every few steps, so that more tokens than are needed may be computed.
            max_tokens: tokens of one forward pass over prompts.
            sampling: how each token is chosen; greedy, if nothing else is said.

        Raises:
            torch.OutOfMemoryError: a single sequence does not fit.
        """
        while True:
            try:
                return self._generate(prompts, max_new_tokens, end_of, max_tokens, progress, sampling)
            except RuntimeError as error:
                if self._max_slots == 1 or not is_out_of_memory(error):
                    raise
            # Outside the except clause, whose traceback keeps the cache alive.
            self._max_slots = max(1, min(self._max_slots, len(prompts)) // 2)
            release_memory()

    @torch.no_grad()
    def _generate(
        self,
        prompts: Sequence[Ints],
        max_new_tokens: int,
        end_of: EndOf,
        max_tokens: int,
        progress: Progress,
        sampling: SamplingParams,
    ) -> list[list[int]]:
        # Neighbours in sorted order share beginnings, and wait for a slot together.
        waiting = deque(sorted(range(len(prompts)), key=lambda index: prompts[index].astype(">i8").tobytes()))
        made: list[list[int]] = [[] for _ in prompts]
        length = max(len(prompt) for prompt in prompts) + max_new_tokens
        count = self._slot_count(len(prompts), length)
        cache = KVCache(self._model, count, length, sampling, zeroed=not self._attention.tiles)
        decoder = self._decoder(cache, sampling)
        active: dict[int, int] = {}  # slot → prompt
        launched: dict[int, int] = {}  # prompt → its tokens so far, those that are still computed included
        flying: deque[_Flight] = deque()

        def land() -> None:
            flight = flying.popleft()
            finished = 0
            for slot, index, new in flight.tokens():
                if active.get(slot) != index:
                    continue  # it had ended before
                before = len(made[index])
                made[index] = (made[index] + new)[:max_new_tokens]
                end = end_of(made[index], before)
                made[index] = made[index][:end]
                if end is not None or len(made[index]) == max_new_tokens:
                    del active[slot]
                    finished += 1
            progress(finished, flight.work)

        while waiting or active:
            free = [slot for slot in range(cache.count) if slot not in active]
            entering = dict(zip(free, [waiting.popleft() for _ in range(min(len(free), len(waiting)))], strict=False))
            if entering:
                own = {slot: prompts[index] for slot, index in entering.items()}
                if sampling.samples:
                    cache.set_draws(own, {slot: sampling.draws(entering[slot], max_new_tokens) for slot in own})
                self._prefill(cache, own, max_tokens, sampling, again=not active)
                tokens = sum(len(prompt) for prompt in own.values())
                flying.append(_Flight(cache.tokens.clone()[None], entering, tokens))
                launched |= dict.fromkeys(entering.values(), 1)
                active |= entering
            elif len(active) <= cache.count // 2:
                if flying:
                    land()
                    continue
                order = sorted(active)
                cache = cache.shrink(order)
                decoder = self._decoder(cache, sampling)
                active = {new: active[old] for new, old in enumerate(order)}
            steps = min(self._chunk, max(0, max_new_tokens - min(launched[index] for index in active.values())))
            if steps:
                longest = max(len(prompts[index]) + launched[index] for index in active.values()) - 1
                flying.append(_Flight(decoder.run(steps, longest), dict(active), steps * len(active)))
                for index in active.values():
                    launched[index] += steps
            # The last tokens are read while the next ones are computed, where the device works by itself.
            while len(flying) > (1 if steps and self._runs_ahead else 0):
                land()
        return made

    @torch.no_grad()
    def prefill(self, prompts: Sequence[Ints], *, length: int, max_tokens: int) -> KVCache:
        """A cache of `length` steps, filled with the prompts, whose next tokens are chosen.

        Raises:
            torch.OutOfMemoryError: they do not fit at a time.
        """
        cache = KVCache(self._model, len(prompts), length, GREEDY, zeroed=not self._attention.tiles)
        self._prefill(cache, dict(enumerate(prompts)), max_tokens, GREEDY, again=True)
        return cache

    def decoder(self, cache: KVCache, *, captures: bool) -> Decoder:
        """What advances a cache that `prefill` filled."""
        attention = self._attention
        kernel = attention.overrides.decode_attention
        return Decoder(
            self._model, self._head, cache, GREEDY, kernel=kernel, lengths=attention.lengths, captures=captures
        )

    def _decoder(self, cache: KVCache, sampling: SamplingParams) -> Decoder:
        attention = self._attention
        kernel = attention.overrides.decode_attention
        return Decoder(self._model, self._head, cache, sampling, kernel=kernel, lengths=attention.lengths)

    def _slot_count(self, prompts: int, length: int) -> int:
        layers, heads, head_dim = cache_sizes(self._model)
        per_slot = 2 * layers * heads * head_dim * length * self._model.dtype.itemsize
        device = self._model.device
        if device.type != "cuda":
            return max(1, min(prompts, self._max_slots, CPU_CACHE // per_slot))
        free, _ = torch.cuda.mem_get_info(device)
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return max(1, min(prompts, self._max_slots, int(free * CACHE_SHARE) // per_slot))

    def _prefill(
        self, cache: KVCache, prompts: dict[int, Ints], max_tokens: int, sampling: SamplingParams, *, again: bool
    ) -> None:
        """Fill the cache of some slots with their prompts, and choose the first token that follows each.

        `again` says whether the same prompts are likely to come again, at another width.
        """
        cache.enter(prompts)
        for entrance in self._entrances(prompts, max_tokens, again=again):
            row = entrance.row
            row.listener = partial(entrance.fill, cache.states, self._attention.overrides.fill_cache)
            try:
                hidden = hidden_at(self._model, row, entrance.nodes, least=2)
            finally:  # the cache and the masks are large, and the row may be kept
                row.listener = None
                row.drop_masks()
            cache.choose(self._head(hidden), sampling, entrance.slots)

    def _entrances(self, prompts: dict[int, Ints], max_tokens: int, *, again: bool) -> list[_Entrance]:
        """All on the device before the first pass, since what is sent later waits for it."""
        key = _content(prompts, max_tokens)
        if key in self._known:
            return self._known[key]
        by_tokens: dict[bytes, list[int]] = {}
        for slot, prompt in prompts.items():
            by_tokens.setdefault(prompt.tobytes(), []).append(slot)
        # The request of a sequence stands for all slots with its tokens.
        sequences = [Scored(prompts[same[0]], ((same[0], np.zeros(1, np.int64)),)) for same in by_tokens.values()]
        made = [
            _Entrance(row, DeviceRow(row, self._model.device, self._attention), by_tokens)
            for row in self._pack(sequences, max_tokens)
        ]
        if again:
            self._known[key] = made
        return made


def _content(prompts: dict[int, Ints], max_tokens: int) -> bytes:
    sizes = np.array([max_tokens, *prompts, *map(len, prompts.values())])
    return b"".join((sizes.tobytes(), *(prompt.tobytes() for prompt in prompts.values())))


class _Flight:
    """Tokens on their way from the device, [steps, slots], of slots that hold prompts; `work` tokens were computed."""

    def __init__(self, made: Tensor, active: dict[int, int], work: int) -> None:
        self.work = work
        self._active = active
        self._made = made
        self._arrived: torch.cuda.Event | None = None
        if made.device.type == "cuda":
            self._made = torch.empty(made.shape, dtype=made.dtype, pin_memory=True).copy_(made, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record()

    def tokens(self) -> Iterator[tuple[int, int, list[int]]]:
        """Slot, prompt and new tokens of each active slot; waits for them to arrive."""
        if self._arrived is not None:
            self._arrived.synchronize()
        columns = self._made.T.tolist()
        return ((slot, index, columns[slot]) for slot, index in self._active.items())


class _Entrance:
    """A row of prompts, and the slots that wait for their keys and values.

    Attributes:
        row: the prompts as a tree.
        slots: int64 [n], those that wait for the row.
        nodes: int64 [n], the last token of the prompt of each.
    """

    def __init__(self, tree: TreeRow, row: DeviceRow, by_tokens: dict[bytes, list[int]]) -> None:
        self.row = row
        device = row.tokens.device
        paths = [
            (slot, path)
            for sequence, path in zip(tree.sequences, tree.paths(), strict=True)
            for slot in by_tokens[sequence.tokens.tobytes()]
        ]
        self.slots = torch.tensor([slot for slot, _ in paths], device=device)
        self.nodes = torch.tensor([path[-1] for _, path in paths], device=device)
        # Of every token of a prompt: where the row has it, whose slot it goes to, and where there.
        lengths = [len(path) for _, path in paths]
        self._from = sent(np.concatenate([path for _, path in paths]), device)
        self._to_slots = sent(np.repeat([slot for slot, _ in paths], lengths), device)
        self._to_steps = sent(np.concatenate([np.arange(length) for length in lengths]), device)

    def fill(self, cache: Tensor, fill_cache: FillCache, layer: int, keys: Tensor, values: Tensor) -> None:
        """Copy a layer's keys and values, [1, kv_heads, n, head_dim], to the slots' cache."""
        for states, into in zip((keys[0], values[0]), cache[layer], strict=True):
            fill_cache(states.transpose(0, 1), self._from, into, self._to_slots, self._to_steps)
