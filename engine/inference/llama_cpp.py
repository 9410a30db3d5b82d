"""llama.cpp in a packaged build (cyllama): what a GGUF file says to token ids, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.inference.decode.generator import EndOf
from engine.inference.decode.sampling import GREEDY, SamplingParams
from engine.inference.tree.tree import Ints, Scored
from engine.inference.tree.tree_scorer import Batch, Progress

# ggml's numbers of what keys and values may be kept in.
_KEPT_AS = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 30}
_AT_ONCE = 512  # tokens of one pass, as llama.cpp's own default
_LEAST_ROOM = 256

Row = NDArray[np.float32]


class LlamaCpp:
    """A GGUF file, loaded by llama.cpp.

    Tokens that begin as those before did are not computed again. Positions, windows and the scaling of both are as the
    file has them.

    Args:
        dtype: what keys and values are kept in.
    """

    def __init__(self, path: Path, *, dtype: torch.dtype = torch.float32) -> None:
        native: Any = import_module("cyllama.llama.llama_cpp")
        native.disable_logging()
        parameters = native.LlamaModelParams()
        parameters.n_gpu_layers = 0

        class Model(native.LlamaModel):
            """With what the build's own contexts ask of it, and some of its versions have not."""

            @property
            def n_vocab(self) -> int:
                return self.get_vocab().n_vocab

        self._native = native
        self._model: Any = Model(str(path), parameters)
        self._kept_as = _KEPT_AS[dtype]
        self._context: Any = None
        self._room = 0
        self._held: Ints = np.empty(0, np.int64)

    def tokens(self, text: str) -> list[int]:
        """How the file's own tokenizer cuts a text, special tokens included."""
        return list(self._model.get_vocab().tokenize(text, True, True))

    def logits(self, tokens: Ints, first: int = 0) -> Iterator[Row]:
        """float32 [vocab_size] after each of the tokens from place `first` on.

        Raises:
            RuntimeError: llama.cpp cannot compute them.
        """
        self._make_room(len(tokens))
        held = min(_shared(self._held, tokens), first)
        if held < len(self._held) and not self._context.memory_seq_rm(0, held, -1):
            self._context.kv_cache_clear()
            held = 0
        self._held = tokens[:held]
        for start in range(held, len(tokens), _AT_ONCE):
            places = range(start, min(start + _AT_ONCE, len(tokens)))
            batch = self._native.LlamaBatch(n_tokens=len(places), embd=0, n_seq_max=1)
            for place in places:
                batch.add(int(tokens[place]), place, [0], place >= first)
            self._context.decode(batch)
            self._held = tokens[: places.stop]
            for at, place in enumerate(places):
                if place >= first:
                    yield np.array(self._context.get_logits_ith(at), dtype=np.float32)

    def _make_room(self, length: int) -> None:
        """A context of the file's own length may need more memory than there is: it grows with what is asked."""
        if length <= self._room:
            return
        self._room = max(_LEAST_ROOM, 1 << (length - 1).bit_length())
        parameters = self._native.LlamaContextParams()
        parameters.n_ctx = self._room
        parameters.n_batch = parameters.n_ubatch = min(_AT_ONCE, self._room)
        parameters.n_threads = parameters.n_threads_batch = torch.get_num_threads()
        parameters.type_k = parameters.type_v = self._kept_as
        parameters.flash_attn_type = 0
        self._context = None  # before there is another one: both may not fit
        self._context = self._native.LlamaContext(self._model, parameters)
        self._held = np.empty(0, np.int64)


class LlamaCppScorer:
    """Log-likelihoods by llama.cpp, one sequence after another."""

    def __init__(self, model: LlamaCpp) -> None:
        self._model = model

    def lay_out(self, batch: Batch) -> None:
        """Nothing is laid out ahead."""

    def score(self, batch: Batch, progress: Progress) -> list[tuple[float, bool]]:
        """(log-likelihood, whether greedy decoding gives it) of every request, in the order of their indices."""
        scores = [(0.0, True)] * len(batch.weights)
        for sequence in sorted(batch.sequences, key=lambda sequence: _order(sequence.tokens)):
            for index, score in self._score(sequence):
                scores[index] = score
            progress(sum(batch.weights[index] for index, _ in sequence.requests), len(sequence.tokens))
        return scores

    def _score(self, sequence: Scored) -> Iterator[tuple[int, tuple[float, bool]]]:
        length = len(sequence.tokens)
        first = length - max(len(continuation) for _, continuation in sequence.requests)
        sums = {index: 0.0 for index, _ in sequence.requests}
        greedy = dict.fromkeys(sums, True)
        for place, row in enumerate(self._model.logits(sequence.tokens, first), first):
            likeliest, whole = int(row.argmax()), _log_sum(row)
            for index, continuation in sequence.requests:
                if (at := place - length + len(continuation)) >= 0:
                    target = int(continuation[at])
                    sums[index] += float(row[target]) - whole
                    greedy[index] &= target == likeliest
        return ((index, (total, greedy[index])) for index, total in sums.items())


class LlamaCppGenerator:
    """Texts by llama.cpp, one prompt after another; tokens are chosen from its logits as from our own."""

    def __init__(self, model: LlamaCpp) -> None:
        self._model = model

    def clear_cache(self) -> None:
        """Nothing is kept of prompts but the last one's tokens, which are compared before they are used."""

    @torch.no_grad()
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
        """The tokens that decoding adds to each prompt, up to and with the one that ends it; see `Generator`."""
        made: list[list[int]] = [[] for _ in prompts]
        for index in sorted(range(len(prompts)), key=lambda index: _order(prompts[index])):
            new, tokens = made[index], prompts[index]
            draws = torch.from_numpy(sampling.draws(index, max_new_tokens))
            while len(new) < max_new_tokens:
                [row] = self._model.logits(tokens, len(tokens) - 1)
                at = draws[len(new)][None]
                new.append(int(sampling(torch.from_numpy(row)[None], torch.from_numpy(tokens)[None], at)))
                if end_of(new, len(new) - 1) is not None:
                    break
                tokens = np.append(tokens, new[-1])
                progress(0, 1)
            progress(1, len(prompts[index]))
        return made


def _shared(some: Ints, others: Ints) -> int:
    """How many tokens both begin with."""
    length = min(len(some), len(others))
    unlike = np.flatnonzero(some[:length] != others[:length])
    return int(unlike[0]) if len(unlike) else length


def _order(tokens: Ints) -> bytes:
    """Neighbours in this order share beginnings."""
    return tokens.astype(">i8").tobytes()


def _log_sum(row: Row) -> float:
    """log Σ exp, in float64."""
    values = row.astype(np.float64)
    most = values.max()
    return float(most + np.log(np.exp(values - most).sum()))
