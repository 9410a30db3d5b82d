"""The language model that lm-eval talks to: our pruned model behind lm-eval's LM interface.

Logits are computed only where they are read, and batches are filled by tokens instead of rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.evaluation.answering import AnsweringLM
from engine.evaluation.writer import Writer
from engine.inference.batching import batch_tokens_for
from engine.inference.decode.generator import Generator
from engine.inference.lm_head import LMHead
from engine.inference.plain_scorer import PlainScorer
from engine.inference.probing import Findings, probe_trees
from engine.inference.tree.tree_scorer import Progress, TreeScorer
from engine.inference.tree.trial import best_attention
from engine.inference.warming import warm_up_decoding, warm_up_scoring
from engine.pruning.spreading import spread_over

logger = logging.getLogger(__name__)

_NO_GRAPHS = "The model's layers are spread over {count} GPUs, so graphs and kernels of ours are off"


class PrunedLM(AnsweringLM):
    """lm-eval's view of one loaded model, whose width may change between calls.

    Args:
        batch_tokens: tokens of one forward pass, padding included; halved for good when memory runs out. None chooses
            it from the memory that is free.
        progress: called after every batch with the requests and tokens it finished; may raise to stop.
        seed: of sampled generation.
        warn: told, once each, what makes the work slower than it could be.
        plain: only plain torch computes, no FlexAttention and no kernel of ours: slower on a GPU.

    Attributes:
        generator: continues texts; None where only transformers' own way does.
        lengths: which sequences may share a pass.
        batch_tokens: as given or chosen.
        slow_because: why rows are masked densely, which costs the square of their length; None with FlexAttention.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        batch_tokens: int | None = None,
        seed: int = 0,
        progress: Progress = lambda requests, tokens: None,
        warn: Callable[[str], None] = logger.warning,
        plain: bool = False,
    ) -> None:
        super().__init__(model.config, tokenizer, vocab_size=vocabulary(model), progress=progress)
        if batch_tokens is None:
            batch_tokens = batch_tokens_for(model)
        self.model: Any = model
        self._warn = warn
        self._said: set[str] = set()
        spread = spread_over(model)
        attention, self.slow_because = best_attention(model, plain=plain or spread > 1, warn=warn)
        head = LMHead(model, attention.overrides)
        found = probe_trees(model, attention) if spread == 1 else Findings(_NO_GRAPHS.format(count=spread))
        self.generator: Generator | None = None
        self.lengths, self.batch_tokens = attention.lengths, batch_tokens
        self._compiles = attention.tiles
        if found.problem is not None:
            warn(f"{found.problem}: each request is computed by itself, and texts are transformers' own, more slowly.")
            self._scorer = PlainScorer(model, head, batch_tokens, attention.lengths)
        else:
            self._scorer = TreeScorer(model, head, batch_tokens, attention)
            if found.has_usual_cache:
                self.generator = Generator(model, head, attention)
            else:
                warn(
                    f"Models of type '{model.config.model_type}' keep keys and values of other sizes than usual: "
                    "generation is transformers' own, which is slower."
                )
        self._writer = Writer(
            model,
            self.tokenizer,
            self.generator,
            attention.lengths,
            max_length=self.max_length,
            max_tokens=batch_tokens,
            seed=seed,
            say=self._say_once,
        )

    def warm_up(self) -> None:
        """Compile, before anything is asked, what passes over prompts need on a GPU."""
        if self._compiles and isinstance(self._scorer, TreeScorer):
            warm_up_scoring(self._scorer, vocab_size=self.vocab_size, max_length=self.max_length)

    def warm_up_writing(self) -> None:
        """The same for texts, whose first step compiles other shapes."""
        if self._compiles and self.generator is not None:
            warm_up_decoding(
                self.generator,
                vocab_size=self.vocab_size,
                max_length=self.max_length,
                max_tokens=self.batch_tokens,
            )

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._warn(message)


def vocabulary(model: PreTrainedModel) -> int:
    """How many tokens a model can read and foresee."""
    layers: Any = (model.get_input_embeddings(), model.get_output_embeddings())
    return min(layer.weight.shape[0] for layer in layers if layer is not None)
