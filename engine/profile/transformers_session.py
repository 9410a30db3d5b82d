"""transformers' own passes and caches: grown as it goes (eager), or of a fixed size with its step captured (graphs)."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, StaticCache

from engine.profile.session import CannotMeasureError, Mark


class EagerSession:
    """Every kernel launched by Python, keys and values appended."""

    def __init__(self, model: PreTrainedModel, prompts: Tensor, new_tokens: int) -> None:
        self._model: Any = model
        self._prompts, self._steps = prompts, new_tokens - 1
        self._keyword = cache_keyword(model)
        self._cache: Any = None
        self._first = prompts[:, -1:]
        self._last = self._first

    @torch.no_grad()
    def prefill(self) -> None:
        self._cache = None  # an old one is not kept beside the new one
        self._cache = DynamicCache(config=self._model.config)
        self._first = self._step(self._prompts)

    @torch.no_grad()
    def decode(self, mark: Mark) -> None:
        self._rewind()
        token = self._first
        for _ in range(self._steps):
            token = self._step(token)
            mark()
        self._last = token

    def written(self) -> Tensor:
        return self._last[:, 0]

    def _step(self, tokens: Tensor) -> Tensor:
        made = self._model(tokens, use_cache=True, logits_to_keep=1, **{self._keyword: self._cache})
        return made.logits[:, -1:].argmax(-1)

    def _rewind(self) -> None:
        """To the end of the prompts; what keeps no whole past is filled again."""
        length = self._prompts.shape[1]
        layers = self._cache.layers
        if any(type(layer).__name__ != "DynamicLayer" for layer in layers):
            self.prefill()
            return
        for layer in layers:
            layer.keys, layer.values = layer.keys[:, :, :length], layer.values[:, :, :length]


class GraphSession:
    """A step captured as a CUDA graph over transformers' static cache, and replayed.

    Raises:
        CannotMeasureError: the model keeps its past in another way, or its step cannot be captured.
    """

    def __init__(self, model: PreTrainedModel, prompts: Tensor, new_tokens: int, *, captures: bool = True) -> None:
        self._model: Any = model
        self._prompts, self._steps = prompts, new_tokens - 1
        self._keyword = cache_keyword(model)
        batch, self._length = prompts.shape
        total = self._length + new_tokens
        self._cache: Any = StaticCache(config=model.config, max_cache_len=total)
        if any(type(layer).__name__ != "StaticLayer" for layer in self._cache.layers):
            raise CannotMeasureError("its layers do not all keep the whole past, which a captured step needs")
        self._tokens = prompts.new_zeros(batch, 1)
        self._first = self._tokens.clone()
        self._positions = prompts.new_zeros(batch, 1)
        self._places = torch.arange(total, device=prompts.device)
        self._captures = captures
        self._graph: torch.cuda.CUDAGraph | None = None

    @torch.no_grad()
    def prefill(self) -> None:
        for layer in self._cache.layers:
            layer.cumulative_length.zero_()
        positions = self._places[None, : self._length]
        mask = (self._places[None, :] <= self._places[: self._length, None])[None, None]
        made = self._pass(self._prompts, positions, mask)
        self._first.copy_(made)

    @torch.no_grad()
    def decode(self, mark: Mark) -> None:
        if self._captures and self._graph is None:
            self._graph = self._captured()
        self._rewind()
        for _ in range(self._steps):
            if self._graph is None:
                self._step()
            else:
                self._graph.replay()
            mark()

    def written(self) -> Tensor:
        return self._tokens[:, 0]

    def _rewind(self) -> None:
        self._tokens.copy_(self._first)
        self._positions.fill_(self._length)
        for layer in self._cache.layers:
            layer.cumulative_length.fill_(self._length)

    def _step(self) -> None:
        mask = (self._places <= self._positions)[:, None, None]
        self._tokens.copy_(self._pass(self._tokens, self._positions, mask))
        self._positions.add_(1)

    def _pass(self, tokens: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        made = self._model(
            tokens,
            position_ids=positions,
            attention_mask=mask,
            use_cache=True,
            logits_to_keep=1,
            **{self._keyword: self._cache},
        )
        return made.logits[:, -1:].argmax(-1)

    def _captured(self) -> torch.cuda.CUDAGraph:
        self._rewind()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.stream(stream):
                for _ in range(2):  # libraries set themselves up outside of the capture
                    self._step()
            torch.cuda.current_stream().wait_stream(stream)
            self._rewind()
            with torch.cuda.graph(graph):
                self._step()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise CannotMeasureError(f"a step cannot be captured: {str(error).splitlines()[0]}") from error
        return graph


def cache_keyword(model: PreTrainedModel) -> str:
    """The name of the argument by which a model is given its past: transformers renamed it."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
