"""The language model that lm-eval talks to where llama.cpp computes: a GGUF file, asked by our token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedTokenizerBase

from engine.errors import UserError
from engine.evaluation.answering import AnsweringLM
from engine.evaluation.ending import Ending
from engine.evaluation.writer import Writer
from engine.inference.lengths import NO_MATTER
from engine.inference.llama_cpp import LlamaCpp, LlamaCppGenerator, LlamaCppScorer
from engine.inference.tree.tree import Ints
from engine.inference.tree.tree_scorer import Progress
from engine.pruning.gguf_file.reading import refuse_unlike


class LlamaCppLM(AnsweringLM):
    """lm-eval's view of a GGUF file.

    Args:
        config, tokenizer: those beside the file: prompts are the same tokens as transformers would be given.
        dtype: what keys and values are kept in.
        seed: of sampled generation.

    Raises:
        UserError: the file says something else than the config or the tokenizer.
    """

    def __init__(
        self,
        path: Path,
        config: PretrainedConfig,
        tokenizer: PreTrainedTokenizerBase,
        *,
        dtype: torch.dtype,
        seed: int = 0,
    ) -> None:
        refuse_unlike(path, config, tokenizer)
        super().__init__(config, tokenizer, vocab_size=config.vocab_size)
        model = LlamaCpp(path, dtype=dtype)
        self._scorer = LlamaCppScorer(model)
        self._writer = _OnlyOurs(
            _Options(config, path.parent),
            self.tokenizer,
            LlamaCppGenerator(model),
            NO_MATTER,
            max_length=self.max_length,
            max_tokens=self.max_length,
            seed=seed,
            say=lambda message: None,
        )


class _Options(GenerationMixin):
    """What transformers makes of a task's options for texts: no weights are needed for that."""

    device = torch.device("cpu")

    def __init__(self, config: PretrainedConfig, folder: Path) -> None:
        self.config = config
        if (folder / "generation_config.json").is_file():
            self.generation_config = GenerationConfig.from_pretrained(folder)
        else:
            self.generation_config = GenerationConfig.from_model_config(config)


class _OnlyOurs(Writer):
    """Texts whose options transformers alone carries out are not written."""

    def _by_transformers(
        self,
        prompts: Sequence[Ints],
        indices: Sequence[int],
        until: list[str],
        ending: Ending,
        new: int,
        options: dict[str, Any],
        progress: Progress,
    ) -> list[tuple[int, list[int]]]:
        if indices:
            raise UserError(
                "llama.cpp writes texts token by token here, and this task's options search or score whole texts: "
                "leave the task out, or score the file without --engine."
            )
        return []
