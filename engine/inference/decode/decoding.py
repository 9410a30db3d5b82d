"""One step of decoding for many sequences at once, on a KV cache of our own.

Each sequence has a slot of the cache and its own position. transformers' attention repeats keys and values for
grouped-query heads whenever there is a mask; ours does not. Where Triton works, a kernel of our own reads each
sequence up to its own end; elsewhere all are read up to the longest. On a CUDA GPU a step is captured as a graph, so
that thousands of small kernels are launched at once. A graph is bound to the cache, to the weights' slices and to the
rotary factors it was captured on, which pinned lie in one place: it serves every step of one call of
`Generator.generate` on as many slots (and, without our kernel, that reads as far into the cache), and goes with it, so
that no graph outlives a change of the model's width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from engine.inference.decode.sampling import NO_TOKEN, Choice, Draws
from engine.inference.lengths import NO_MATTER, Lengths
from engine.inference.lm_head import Head
from engine.inference.tree.tree import Ints
from engine.inference.tree.tree_attention import capped_attention

_NAME = "prune_tui_decode"
_BUCKET = 256  # where steps are captured, the cache is read up to the next multiple of this


def cache_sizes(model: PreTrainedModel) -> tuple[int, int, int]:
    """Layers, heads of keys and of values, and the size of a head, as far as the config tells."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, heads, head_dim


class Slots:
    """The state of `count` sequences of at most `length` tokens: cache, last token and position of each.

    Where the choice of a token asks for it, also `history`, the tokens so far, aligned to the right, and `draws`, a
    uniform number for the token at each position. The cache begins `zeroed` where steps that are masked are read all
    the same; otherwise what it holds before it is filled does not matter, and twelve gigabytes take three milliseconds.
    """

    def __init__(self, model: PreTrainedModel, count: int, length: int, choice: Choice, *, zeroed: bool = True) -> None:
        self.count = count
        self.length = length
        self.tokens = torch.zeros(count, dtype=torch.long, device=model.device)
        self.positions = torch.zeros(count, dtype=torch.long, device=model.device)
        layers, heads, head_dim = cache_sizes(model)
        shape = (layers, 2, count, heads, length, head_dim)
        make = torch.zeros if zeroed else torch.empty
        self.cache = make(shape, dtype=model.dtype, device=model.device)
        self.history = torch.full((count, length), NO_TOKEN, device=model.device) if choice.needs_history else None
        self.draws = torch.zeros(count, length, device=model.device) if choice.samples else None
        self.index = torch.arange(count, device=model.device)
        self.steps = torch.arange(length, device=model.device)

    def enter(self, prompts: dict[int, Ints]) -> None:
        """Make slots ready for their prompts, whose keys and values are filled in from outside."""
        index = torch.tensor(list(prompts), device=self.tokens.device)
        self.positions[index] = torch.tensor([len(prompt) for prompt in prompts.values()], device=self.tokens.device)
        if self.history is not None:
            rows = np.full((len(prompts), self.length), NO_TOKEN)
            for row, prompt in zip(rows, prompts.values(), strict=True):
                row[self.length - len(prompt) :] = prompt
            self.history[index] = torch.from_numpy(rows).to(self.tokens.device)

    def set_draws(self, prompts: dict[int, Ints], draws: dict[int, Draws]) -> None:
        """Give slots the uniform numbers for the tokens that will follow their prompts."""
        assert self.draws is not None
        rows = np.zeros((len(prompts), self.length), np.float32)
        for row, (slot, prompt) in zip(rows, prompts.items(), strict=True):
            row[len(prompt) : len(prompt) + len(draws[slot])] = draws[slot]
        self.draws[torch.tensor(list(prompts), device=self.tokens.device)] = torch.from_numpy(rows).to(self.draws)

    def advance(self) -> None:
        """Move every slot to its next position; one whose sequence has ended stays, harmlessly, at its cache's end."""
        self.positions.add_(1).clamp_(max=self.length - 1)

    def choose(self, logits: Tensor, choice: Choice, index: Tensor) -> Tensor:
        """The tokens at the positions of these slots, from their logits: int64 [slots]."""
        history = None if self.history is None else self.history[index]
        uniform = None if self.draws is None else self.draws[index, self.positions[index]]
        chosen = choice(logits, history, uniform)
        self.tokens[index] = chosen
        if history is not None and self.history is not None:
            self.history[index] = torch.cat((history[:, 1:], chosen[:, None]), dim=1)
        return chosen

    def shrink(self, keep: Sequence[int]) -> Slots:
        """Slots for only some of the sequences, given in rising order; they move to the front of this cache."""
        smaller = object.__new__(Slots)
        chosen = torch.tensor(keep, device=self.tokens.device)
        smaller.count, smaller.length, smaller.steps = len(keep), self.length, self.steps
        smaller.tokens, smaller.positions = self.tokens[chosen], self.positions[chosen]
        smaller.cache = self.cache[:, :, : len(keep)]
        for layer in self.cache:  # one at a time, so that hardly any memory is needed for the move
            layer[:, : len(keep)] = layer[:, chosen]
        smaller.history = None if self.history is None else self.history[chosen]
        smaller.draws = None if self.draws is None else self.draws[chosen]
        smaller.index = self.index[: len(keep)]
        return smaller


class Decoder:
    """Advances slots token by token, with the model at the width it has when the slots are made.

    `kernel` says whether attention is Triton's to compute; `lengths` of the slots' sequences are of one kind.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        head: Head,
        slots: Slots,
        choice: Choice,
        *,
        kernel: bool,
        lengths: Lengths = NO_MATTER,
    ) -> None:
        self._model: Any = model
        self._head = head
        self._slots = slots
        self._choice = choice
        self._kernel = kernel
        self._lengths = lengths
        self._graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor | None]] = {}
        self._stream = torch.cuda.Stream() if slots.tokens.device.type == "cuda" else None

    def run(self, steps: int, longest: int) -> Tensor:
        """Generate `steps` tokens for every slot: [steps, slots] int64.

        `longest` is the largest position any slot that matters has now.
        """
        made = self._slots.tokens.new_empty(steps, self._slots.count)
        # The last token of all is chosen, but not run.
        pinned = self._lengths.pinned(self._slots.length - 1)
        with pinned, _decoding(self._model, self._slots, kernel=self._kernel):
            for step in range(steps):
                reach = self._reach(longest + step)
                logits = self._forward(reach) if self._stream is None else self._replay(reach)
                if logits is not None:
                    self._slots.advance()
                    self._slots.choose(logits, self._choice, self._slots.index)
                made[step] = self._slots.tokens
        return made

    def _reach(self, longest: int) -> int:
        """How far into the cache a step reads that goes to `longest`, one place or many at a time."""
        if self._kernel:
            return self._slots.length  # each slot is read to its own end
        bucket = 1 if self._stream is None else _BUCKET
        return min(-(-(longest + 1) // bucket) * bucket, self._slots.length)

    def _replay(self, reach: int) -> Tensor | None:
        if reach not in self._graphs:
            self._graphs[reach] = self._capture(reach)
        graph, logits = self._graphs[reach]
        graph.replay()
        return logits

    def _capture(self, reach: int) -> tuple[torch.cuda.CUDAGraph, Tensor | None]:
        tokens, positions = self._slots.tokens.clone(), self._slots.positions.clone()
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
        self._slots.tokens.copy_(tokens)
        self._slots.positions.copy_(positions)
        return graph, logits

    @torch.no_grad()
    def _forward(self, reach: int) -> Tensor | None:
        """A step up to the logits, or, where nothing but the most likely token matters, a whole one."""
        slots = self._slots
        _begin_step(reach)
        hidden = self._model.base_model(
            slots.tokens[:, None], position_ids=slots.positions[:, None], use_cache=False
        ).last_hidden_state[:, -1]
        if not self._choice.is_plain:
            return self._head(hidden)  # transformers' processors are not made for capture in a graph
        slots.advance()
        slots.tokens.copy_(self._head.most_likely(hidden))
        return None


# transformers knows attention functions by name, so what they work on is known to the module.
_slots: Slots | None = None
_kernel: Callable[..., Tensor] | None = None
_reach = 0
_layer = 0  # whose attention comes next
_masks: dict[int | None, Tensor] = {}


@contextmanager
def _decoding(model: PreTrainedModel, slots: Slots, *, kernel: bool) -> Iterator[None]:
    """Inside the block the model's forward pass is a step for these slots."""
    global _slots, _kernel
    if kernel:
        from engine.overrides.decode_kernel import decode_attention  # Triton is not everywhere

        _kernel = decode_attention
    usual = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(_NAME)
    _slots = slots
    try:
        yield
    finally:
        _slots = _kernel = None
        _masks.clear()
        model.set_attn_implementation(usual)


def _begin_step(reach: int) -> None:
    global _reach, _layer
    _reach, _layer = reach, 0
    _masks.clear()


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """query [slots, heads, 1, head_dim], key and value [slots, kv_heads, 1, head_dim] → [slots, 1, heads, head_dim]."""
    attention = _compiled_attention if torch.compiler.is_compiling() else _attention
    return attention(query, key, value, scaling, sliding_window, softcap), None


def _attention(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    global _layer
    assert _slots is not None, "the decoding attention was called outside of its block"
    keys, values = _slots.cache[_layer]
    _layer += 1
    if _kernel is not None:
        return _kernel(
            query, key, value, keys, values, _slots.positions, scaling=scaling, window=window, softcap=softcap
        )
    keys[_slots.index, :, _slots.positions] = key[:, :, 0]
    values[_slots.index, :, _slots.positions] = value[:, :, 0]
    mask = _mask(_slots, window)
    keys, values = keys[:, :, :_reach], values[:, :, :_reach]
    if softcap is not None:
        output = capped_attention(query, keys, values, mask, scaling, softcap)
    else:
        output = scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scaling, enable_gqa=True)
    return output.transpose(1, 2).contiguous()


# An operator, since torch.compile must not look inside: what it works on changes from step to step.
_compiled_attention = torch.library.custom_op("prune_tui::decode_attention", _attention, mutates_args=())


@_compiled_attention.register_fake
def _(
    query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None, softcap: float | None
) -> Tensor:
    slots, heads, length, head_dim = query.shape
    return query.new_empty(slots, length, heads, head_dim)


def _mask(slots: Slots, window: int | None) -> Tensor:
    """bool [slots, 1, 1, reach], the same for all layers of a step."""
    if window not in _masks:
        steps, positions = slots.steps[:_reach], slots.positions[:, None]
        sees = steps <= positions
        if window is not None:
            sees &= positions - steps < window
        _masks[window] = sees[:, None, None]
    return _masks[window]


AttentionInterface.register(_NAME, _attend)
