"""Requests as tokens, as lm-eval's `hf` backend makes them, and what cannot be asked of a model, in a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.models.utils import has_bos_prefix, normalize_gen_kwargs
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from engine.errors import UserError
from engine.inference.tree.tree import Ints

MAX_GEN_TOKS = 256  # as in HFLM, where a task does not say
_ENCODED_AT_ONCE = 4096  # instances

Pair = tuple[list[int], list[int]]  # context and continuation
Tokenised = Callable[[int, int], None]  # requests that are tokenised, and of how many
_String = tuple[str, bool | None]  # and whether special tokens are added; None leaves it to the tokenizer
_Known = dict[_String, list[int]]


class Encoder:
    """Tokenises requests once for all levels.

    One thread may have instances tokenised while others ask for the tokens of earlier ones: what is shared is one
    dictionary, and it is only ever added to, an entry at a time.

    Args:
        max_length: tokens of the model's context.
        vocab_size: tokens that the model has embeddings for.
    """

    def __init__(self, tokenizer: Any, *, max_length: int, vocab_size: int) -> None:
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._vocab_size = vocab_size
        bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
        self.prefix: int | None = eos if bos is None else bos
        self._prefix_text: str | None = None if self.prefix is None else tokenizer.decode(self.prefix)
        # The instance is kept beside its tokens, so that its id stays its own.
        self._encoded: dict[int, tuple[Instance, Any]] = {}

    def __getitem__(self, instance: Instance) -> Any:
        """A (context, continuation) for a log-likelihood, a list of them for a rolling one, else the prompt's tokens.

        `encode` has been told of the instance before.
        """
        return self._encoded[id(instance)][1]

    def clear_cache(self) -> None:
        self._encoded.clear()

    def encode(self, instances: Sequence[Instance], progress: Tokenised = lambda done, total: None) -> None:
        """Tokenise instances ahead of asking them, many strings at a time; they are not tokenised again.

        `progress` is told how many of the instances are tokenised, and may raise to stop.

        Raises:
            UserError: what a task asks cannot be asked of this model and tokenizer; names the task.
        """
        new = [instance for instance in instances if id(instance) not in self._encoded]
        if not new:
            return
        done = len(instances) - len(new)
        for start in range(0, len(new), _ENCODED_AT_ONCE):
            progress(done + start, len(instances))
            some = new[start : start + _ENCODED_AT_ONCE]
            by_special: dict[bool | None, dict[str, None]] = defaultdict(dict)
            for instance in some:
                for string, special in self._strings(instance):
                    by_special[special][string] = None
            known: _Known = {}
            for special, strings in by_special.items():
                for string, tokens in zip(strings, self._tokenised(list(strings), special), strict=True):
                    known[string, special] = tokens
            for instance in some:
                self._encoded[id(instance)] = (instance, self._encode(instance, known))
        progress(len(instances), len(instances))

    def tokens(self, string: str, special: bool | None = None) -> list[int]:
        """`special` as HFLM's `add_special_tokens`."""
        return self._tokenised([string], self._adds_special_tokens(string) if special is None else special)[0]

    def _adds_special_tokens(self, string: str) -> bool | None:
        """As HFLM, a string that begins with the prefix gets no second one."""
        return False if has_bos_prefix(string, self._prefix_text) else None

    def _tokenised(self, strings: list[str], special: bool | None) -> list[list[int]]:
        added = {} if special is None else {"add_special_tokens": special}
        return self._tokenizer(strings, return_attention_mask=False, return_token_type_ids=False, **added)["input_ids"]

    def _strings(self, instance: Instance) -> list[_String]:
        """What has to be tokenised for an instance."""
        args = _args(instance)
        if instance.request_type not in ("loglikelihood", "multiple_choice"):
            return [(args[0], self._adds_to_text(instance))]
        context, continuation = args
        if not context:
            return [(continuation, False)]
        whole, start = context + continuation, context.rstrip()
        return [(whole, self._adds_special_tokens(whole)), (start, self._adds_special_tokens(start))]

    def _adds_to_text(self, instance: Instance) -> bool | None:
        text = _args(instance)[0]
        if instance.request_type == "loglikelihood_rolling":
            return self._adds_special_tokens(text)
        # Before generating, HFLM looks for BOS only, and not for the EOS that stands in for it elsewhere.
        return False if has_bos_prefix(text, self._tokenizer.bos_token) else None

    def _encode(self, instance: Instance, known: _Known) -> Any:
        tokens = [known[string] for string in self._strings(instance)]
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return self._pair(instance, tokens)
            case "loglikelihood_rolling":
                return self._windows(instance, tokens[0])
            case _:
                return self._prompt(instance, tokens[0])

    def _pair(self, instance: Instance, found: list[list[int]]) -> Pair:
        context, continuation = _args(instance)
        if context:
            # As TemplateLM splits them: spaces at the context's end belong to the continuation.
            whole, start = found
            pair = start, whole[len(start) :]
        else:
            tokens = found[0]
            has_prefix = tokens[:1] == [self.prefix] if self.prefix is not None else False
            pair = (tokens[:1], tokens[1:]) if has_prefix else ([self._needed_prefix(instance)], tokens)
        if not pair[1]:
            raise UserError(
                f"{_place(instance)}: its answer {continuation!r} has no tokens of its own, so that nothing is there "
                "to be scored; lm-eval's hf cannot score it either. Give the answer a text, or leave the task out."
            )
        if not pair[0]:
            raise UserError(
                f"{_place(instance)}: its context {context!r} has no tokens, so that nothing is there to predict its "
                "answer from; lm-eval's hf cannot score it either. Give it a text, or none, or leave the task out."
            )
        if len(pair[1]) > self._max_length:
            raise UserError(
                f"{_place(instance)}: its answer of {len(pair[1])} tokens is longer than the model's context of "
                f"{self._max_length}: leave the task out."
            )
        self._refuse_unknown(instance, [*pair[0], *pair[1]])
        return pair

    def _windows(self, instance: Instance, tokens: list[int]) -> list[Pair]:
        self._refuse_unknown(instance, tokens)
        windows = get_rolling_token_windows(
            token_list=tokens,
            prefix_token=self._needed_prefix(instance),
            max_seq_len=self._max_length,
            context_len=1,
        )
        return [make_disjoint_window(window) for window in windows]

    def _prompt(self, instance: Instance, tokens: list[int]) -> Ints:
        asked = asked_for(_args(instance)[1])
        if asked >= self._max_length:
            raise UserError(
                f"{_place(instance)}: up to {asked} tokens are to be generated, but the model's context is "
                f"{self._max_length}: lower the task's max_gen_toks."
            )
        if not tokens:
            raise UserError(
                f"{_place(instance)}: its prompt has no tokens, and the tokenizer puts none before it, so that there "
                "is nothing to continue; lm-eval's hf cannot do so either. Give it a text, or leave the task out."
            )
        self._refuse_unknown(instance, tokens)
        return np.array(tokens)

    def _needed_prefix(self, instance: Instance) -> int:
        if self.prefix is None:
            raise UserError(
                f"{_place(instance)}: a text is to be scored that nothing stands before, which takes a token to begin "
                "with, and the tokenizer has neither BOS nor EOS: name one in its tokenizer_config.json, or leave the "
                "task out."
            )
        return self.prefix

    def _refuse_unknown(self, instance: Instance, tokens: list[int]) -> None:
        if tokens and (largest := max(tokens)) >= self._vocab_size:
            token = self._tokenizer.convert_ids_to_tokens(largest)
            raise UserError(
                f"{_place(instance)}: its text holds token {largest} ({token!r}), but the model knows only "
                f"{self._vocab_size} tokens: the tokenizer is another model's, or has had tokens added for which the "
                "embedding was not enlarged."
            )


def asked_for(generation_kwargs: Mapping[str, Any] | None) -> int:
    """The most tokens that a task wants to be generated."""
    asked: dict[str, Any] = dict(normalize_gen_kwargs(dict(generation_kwargs or {}), MAX_GEN_TOKS))
    return asked["max_gen_toks"]


def _place(instance: Instance) -> str:
    task = f"Task '{instance.task_name}'" if instance.task_name else "A request"
    return task if instance.doc_id is None else f"{task}, document {instance.doc_id}"


def _args(instance: Instance) -> tuple[Any, ...]:
    return instance.args
