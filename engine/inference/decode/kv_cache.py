"""Keys and values of sequences that are being written, a slot for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from engine.inference.decode.sampling import NO_TOKEN, Draws, SamplingParams
from engine.inference.tree.tree import Ints


def cache_sizes(model: PreTrainedModel) -> tuple[int, int, int]:
    """Layers, heads of keys and of values, and the size of a head, as far as the config tells."""
    config = model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, heads, head_dim


class KVCache:
    """Slots for `count` sequences of at most `length` tokens: keys and values, last token and position of each.

    `states` are [layers, 2, count, heads, length, head_dim].

    Where sampling asks for it, also `history`, the tokens so far, aligned to the right, and `draws`, a
    uniform number for the token at each position. They begin `zeroed` where steps that are masked are read all
    the same; otherwise what it holds before it is filled does not matter, and twelve gigabytes take three milliseconds.
    """

    def __init__(
        self, model: PreTrainedModel, count: int, length: int, sampling: SamplingParams, *, zeroed: bool = True
    ) -> None:
        self.count = count
        self.length = length
        self.tokens = torch.zeros(count, dtype=torch.long, device=model.device)
        self.positions = torch.zeros(count, dtype=torch.long, device=model.device)
        layers, heads, head_dim = cache_sizes(model)
        shape = (layers, 2, count, heads, length, head_dim)
        make = torch.zeros if zeroed else torch.empty
        self.states = make(shape, dtype=model.dtype, device=model.device)
        self.history = torch.full((count, length), NO_TOKEN, device=model.device) if sampling.needs_history else None
        self.draws = torch.zeros(count, length, device=model.device) if sampling.samples else None
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

    def choose(self, logits: Tensor, sampling: SamplingParams, index: Tensor) -> Tensor:
        """The tokens at the positions of these slots, from their logits: int64 [slots]."""
        history = None if self.history is None else self.history[index]
        uniform = None if self.draws is None else self.draws[index, self.positions[index]]
        chosen = sampling(logits, history, uniform)
        self.tokens[index] = chosen
        if history is not None and self.history is not None:
            self.history[index] = torch.cat((history[:, 1:], chosen[:, None]), dim=1)
        return chosen

    def shrink(self, keep: Sequence[int]) -> KVCache:
        """Slots for only some of the sequences, given in rising order; they move to the front of this cache."""
        smaller = object.__new__(KVCache)
        chosen = torch.tensor(keep, device=self.tokens.device)
        smaller.count, smaller.length, smaller.steps = len(keep), self.length, self.steps
        smaller.tokens, smaller.positions = self.tokens[chosen], self.positions[chosen]
        smaller.states = self.states[:, :, : len(keep)]
        for layer in self.states:  # one at a time, so that hardly any memory is needed for the move
            layer[:, : len(keep)] = layer[:, chosen]
        smaller.history = None if self.history is None else self.history[chosen]
        smaller.draws = None if self.draws is None else self.draws[chosen]
        smaller.index = self.index[: len(keep)]
        return smaller
