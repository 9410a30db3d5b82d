"""llama.cpp in a packaged build (cyllama): which tokens it cuts and which logits it puts out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest


class LlamaCpp:
    """A GGUF file, loaded by llama.cpp on the CPU; keys and values are kept in float32."""

    def __init__(self, path: Path) -> None:
        native: Any = pytest.importorskip("cyllama.llama.llama_cpp")
        native.disable_logging()
        self._native = native
        parameters = native.LlamaModelParams()
        parameters.n_gpu_layers = 0

        class Model(native.LlamaModel):
            """With what the build's own contexts ask of it, and some of its versions have not."""

            @property
            def n_vocab(self) -> int:
                return self.get_vocab().n_vocab

        self.model: Any = Model(str(path), parameters)

    def tokens(self, text: str) -> list[int]:
        return list(self.model.get_vocab().tokenize(text, True, True))

    def logits(self, ids: Sequence[int]) -> np.ndarray:
        """[len(ids), vocab_size] float32."""
        parameters = self._native.LlamaContextParams()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 256
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.type_k = parameters.type_v = 0
        parameters.flash_attn_type = 0
        context = self._native.LlamaContext(self.model, parameters)
        rows: list[list[float]] = []
        for place, token in enumerate(ids):
            batch = self._native.LlamaBatch(n_tokens=1, embd=0, n_seq_max=1)
            batch.add(token, place, [0], True)
            context.decode(batch)
            rows.append(list(context.get_logits()))
        return np.array(rows, dtype=np.float32)
