"""A tokenizer's part in asking a model: what chat turns look like, texts as tokens, and where those are kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError
from lm_eval.api.instance import Instance
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from engine.evaluation.encoding import Encoder
from engine.evaluation.encoding import Progress as Encoded
from engine.evaluation.token_cache import KeptTokens, users_cache

logger = logging.getLogger(__name__)


class Prompts:
    """What a task's requests need to become tokens: no model, and no torch.

    Args:
        tokenizer: with a padding token.
        max_length: tokens of the model's context.
        vocab_size: tokens that the model has embeddings for.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, max_length: int, vocab_size: int) -> None:
        # transformers' annotations make every tokenizer call return a union; what they return here is known.
        self.tokenizer: Any = tokenizer
        self._encoder = Encoder(tokenizer, max_length=max_length, vocab_size=vocab_size)

    @property
    def tokenizer_name(self) -> str:
        return self.tokenizer.name_or_path.replace("/", "__")

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        try:
            return self._templated(chat_history, add_generation_prompt)
        except TemplateError:
            # As HFLM: Gemma's template, for one, refuses a system turn.
            logger.warning("The chat template refuses this conversation; it is asked without its system turn.")
            return self._templated([turn for turn in chat_history if turn["role"] != "system"], add_generation_prompt)

    def _templated(self, chat_history: list[dict[str, str]], add_generation_prompt: bool) -> str:
        return self.tokenizer.apply_chat_template(
            chat_history,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )

    def encode(
        self,
        instances: Sequence[Instance],
        progress: Encoded = lambda done, total: None,
        kept: KeptTokens | None = None,
    ) -> None:
        """Tokenise instances ahead of asking them; they are not tokenised again.

        May run in a thread beside the asking of others. `progress` is told how many are done, and of how many; `kept`
        is where their tokens may have been kept.

        Raises:
            UserError: what a task asks cannot be asked of this model and tokenizer; names the task.
        """
        self._encoder.encode(instances, progress, kept)

    def kept_tokens(self, requests_hash: str) -> KeptTokens | None:
        """Where this tokenizer's tokens of a task's requests are kept between runs; None where none can be."""
        cache = users_cache()
        return None if cache is None else KeptTokens(cache, self._encoder.key_of(requests_hash))

    def tokens_of(self, instance: Instance) -> list[NDArray[Any]]:
        """The token ids that an instance is asked with, part by part: contexts and continuations."""
        self.encode([instance])
        return self._encoder.parts(instance)

    def packed(self, instances: Sequence[Instance]) -> bytes:
        """The tokens of instances that are encoded, for `take` in another process; they are not kept here."""
        content = self._encoder.packed(instances)
        self._encoder.forget(instances)
        return content

    def take(self, instances: Sequence[Instance], packed: bytes) -> None:
        """Have the tokens of instances from where they were `packed`, in place of `encode`."""
        self._encoder.take(instances, packed)
