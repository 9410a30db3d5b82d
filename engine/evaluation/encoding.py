"""Requests as tokens, as lm-eval's `hf` backend makes them, and what cannot be asked of a model, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.models.utils import has_bos_prefix, normalize_gen_kwargs
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from numpy.typing import NDArray

from engine.errors import UserError
from engine.evaluation.token_cache import Encoding, KeptTokens, decoded, encoded, key_of
from engine.evaluation.tokenising import Text, Tokenised, Tokeniser, Tokens
from engine.inference.tree.tree import Ints
from engine.pruning.identity import tokenizer_hash

MAX_GEN_TOKS = 256  # as in HFLM, where a task does not say
_ENCODED_AT_ONCE = 4096  # instances

Pair = tuple[Tokens, Tokens]  # context and continuation
Parts = list[NDArray[Any]]
Progress = Callable[[int, int], None]  # requests that are tokenised, and of how many


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
        self._tokeniser = Tokeniser(tokenizer)
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

    def forget(self, instances: Sequence[Instance]) -> None:
        for instance in instances:
            self._encoded.pop(id(instance), None)

    def parts(self, instance: Instance) -> Parts:
        """The tokens of an instance that is encoded, all of its contexts and continuations."""
        asked = self[instance]
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return list(asked)
            case "loglikelihood_rolling":
                return [tokens for window in asked for tokens in window]
            case _:
                return [asked]

    def packed(self, instances: Sequence[Instance]) -> bytes:
        """The tokens of instances that are encoded, for `take`."""
        return encoded([tuple(part.astype(np.int32) for part in self.parts(instance)) for instance in instances])

    def take(self, instances: Sequence[Instance], packed: bytes) -> None:
        """Have the tokens of instances from another process, where they were `packed`.

        Raises:
            DamagedError: they are not those of these instances.
        """
        for instance, parts in zip(instances, decoded(packed, len(instances)), strict=True):
            match instance.request_type:
                case "loglikelihood" | "multiple_choice":
                    asked: Any = parts
                case "loglikelihood_rolling":
                    asked = list(zip(parts[::2], parts[1::2], strict=True))
                case _:
                    asked = parts[0].astype(np.int64)
            self._encoded[id(instance)] = (instance, asked)

    def encode(
        self,
        instances: Sequence[Instance],
        progress: Progress = lambda done, total: None,
        kept: KeptTokens | None = None,
    ) -> None:
        """Tokenise instances ahead of asking them, many texts at a time; they are not tokenised again.

        `progress` is told how many of the instances are tokenised, and may raise to stop. `kept` is where the tokens
        of all of them may have been kept, and are kept otherwise.

        Raises:
            UserError: what a task asks cannot be asked of this model and tokenizer; names the task.
        """
        new = [instance for instance in instances if id(instance) not in self._encoded]
        if not new:
            return
        if not self._tokeniser.is_plain or len(new) < len(instances):
            kept = None
        encodings = None if kept is None else kept.read(len(new))
        if encodings is None:
            done = len(instances) - len(new)
            encodings = list[Encoding]()
            for some in self._encodings(new):
                progress(done + len(encodings), len(instances))
                encodings += some
            if kept is not None:
                kept.write(encodings)
        all_known = max((int(part.max()) for part in _distinct(encodings)), default=0) < self._vocab_size
        for instance, encoding in zip(new, encodings, strict=True):
            if not all_known:
                self._refuse_unknown(instance, encoding)
            self._encoded[id(instance)] = (instance, self._asked(instance, encoding))
        progress(len(instances), len(instances))

    def _encodings(self, instances: Sequence[Instance]) -> Iterator[list[Encoding]]:
        batch = self._tokeniser.batch()
        for start in range(0, len(instances), _ENCODED_AT_ONCE):
            some = instances[start : start + _ENCODED_AT_ONCE]
            asked = list(self._texts(some))
            found = batch(text for texts in asked for text in texts)
            if not self._tokeniser.check(list(found.items())):
                batch = self._tokeniser.batch()
                asked = list(self._texts(some))
                found = batch(text for texts in asked for text in texts)
            contexts: dict[Text, Tokens] = {}  # that instances share
            yield [_encoding(texts, found, contexts) for texts in asked]

    def key_of(self, requests_hash: str) -> str:
        """Of the tokens of a task's requests, in a cache."""
        return key_of(requests_hash, self._hash, splits_special=self._tokeniser.splits_special)

    @cached_property
    def _hash(self) -> str:
        return tokenizer_hash(self._tokenizer)

    def tokens(self, string: str, special: bool | None = None) -> list[int]:
        """`special` as HFLM's `add_special_tokens`."""
        return self._tokeniser.tokens(string, self._adds_special_tokens(string) if special is None else special)

    def _adds_special_tokens(self, string: str) -> bool | None:
        """As HFLM, a string that begins with the prefix gets no second one."""
        return False if has_bos_prefix(string, self._prefix_text) else None

    def _texts(self, instances: Sequence[Instance]) -> Iterator[tuple[Text, ...]]:
        """What has to be tokenised for each instance; those that follow one another often have one context."""
        before: Any = None
        bare, start = "", Text("", "", None)
        for instance in instances:
            args = _args(instance)
            if instance.request_type not in ("loglikelihood", "multiple_choice"):
                yield (self._text(args[0], self._adds_to_text(instance)),)
            elif not args[0]:
                yield (Text("", args[1], False),)
            else:
                if args[0] is not before:
                    before, bare = args[0], args[0].rstrip()
                    start = self._text(bare, self._adds_special_tokens(bare))
                whole = args[0] + args[1]
                special = self._adds_special_tokens(whole)
                if special is start.special:
                    yield start, Text(start.head, whole[len(start.head) :], special)
                else:
                    yield Text("", bare, start.special), Text("", whole, special)

    def _text(self, string: str, special: bool | None) -> Text:
        end = self._tokeniser.cut(string)
        return Text(string[:end], string[end:], special)

    def _adds_to_text(self, instance: Instance) -> bool | None:
        text = _args(instance)[0]
        if instance.request_type == "loglikelihood_rolling":
            return self._adds_special_tokens(text)
        # Before generating, HFLM looks for BOS only, and not for the EOS that stands in for it elsewhere.
        return False if has_bos_prefix(text, self._tokenizer.bos_token) else None

    def _asked(self, instance: Instance, encoding: Encoding) -> Any:
        match instance.request_type:
            case "loglikelihood" | "multiple_choice":
                return self._pair(instance, encoding)
            case "loglikelihood_rolling":
                return self._windows(instance, encoding[0].tolist())
            case _:
                return self._prompt(instance, encoding[0])

    def _pair(self, instance: Instance, encoding: Encoding) -> Pair:
        context, continuation = _args(instance)
        if len(encoding) == 2:
            pair = encoding[0], encoding[1]
        else:
            [tokens] = encoding
            has_prefix = self.prefix is not None and tokens[:1].tolist() == [self.prefix]
            first = tokens[:1] if has_prefix else np.array([self._needed_prefix(instance)], tokens.dtype)
            pair = first, tokens[1:] if has_prefix else tokens
        if not len(pair[1]):
            raise UserError(
                f"{_place(instance)}: its answer {continuation!r} has no tokens of its own, so that nothing is there "
                "to be scored; lm-eval's hf cannot score it either. Give the answer a text, or leave the task out."
            )
        if not len(pair[0]):
            raise UserError(
                f"{_place(instance)}: its context {context!r} has no tokens, so that nothing is there to predict its "
                "answer from; lm-eval's hf cannot score it either. Give it a text, or none, or leave the task out."
            )
        if len(pair[1]) > self._max_length:
            raise UserError(
                f"{_place(instance)}: its answer of {len(pair[1])} tokens is longer than the model's context of "
                f"{self._max_length}: leave the task out."
            )
        return pair

    def _windows(self, instance: Instance, tokens: list[int]) -> list[Pair]:
        windows = get_rolling_token_windows(
            token_list=tokens,
            prefix_token=self._needed_prefix(instance),
            max_seq_len=self._max_length,
            context_len=1,
        )
        return [
            (np.array(before, np.int32), np.array(after, np.int32))
            for before, after in map(make_disjoint_window, windows)
        ]

    def _prompt(self, instance: Instance, tokens: Tokens) -> Ints:
        asked = asked_for(_args(instance)[1])
        if asked >= self._max_length:
            raise UserError(
                f"{_place(instance)}: up to {asked} tokens are to be generated, but the model's context is "
                f"{self._max_length}: lower the task's max_gen_toks."
            )
        if not len(tokens):
            raise UserError(
                f"{_place(instance)}: its prompt has no tokens, and the tokenizer puts none before it, so that there "
                "is nothing to continue; lm-eval's hf cannot do so either. Give it a text, or leave the task out."
            )
        return tokens.astype(np.int64)

    def _needed_prefix(self, instance: Instance) -> int:
        if self.prefix is None:
            raise UserError(
                f"{_place(instance)}: a text is to be scored that nothing stands before, which takes a token to begin "
                "with, and the tokenizer has neither BOS nor EOS: name one in its tokenizer_config.json, or leave the "
                "task out."
            )
        return self.prefix

    def _refuse_unknown(self, instance: Instance, encoding: Encoding) -> None:
        if (largest := max((int(part.max()) for part in encoding if len(part)), default=0)) >= self._vocab_size:
            token = self._tokenizer.convert_ids_to_tokens(largest)
            raise UserError(
                f"{_place(instance)}: its text holds token {largest} ({token!r}), but the model knows only "
                f"{self._vocab_size} tokens: the tokenizer is another model's, or has had tokens added for which the "
                "embedding was not enlarged."
            )


def _encoding(texts: Sequence[Text], found: Mapping[Text, Tokenised], contexts: dict[Text, Tokens]) -> Encoding:
    if len(texts) == 1:
        return (found[texts[0]].whole,)
    # As TemplateLM splits them: spaces at the context's end belong to the continuation.
    context, whole = texts
    if context not in contexts:
        contexts[context] = found[context].whole
    return contexts[context], found[whole].tail[len(found[context].tail) :]


def _distinct(encodings: Sequence[Encoding]) -> Iterable[Tokens]:
    return {id(part): part for encoding in encodings for part in encoding if len(part)}.values()


def asked_for(generation_kwargs: Mapping[str, Any] | None) -> int:
    """The most tokens that a task wants to be generated."""
    asked: dict[str, Any] = dict(normalize_gen_kwargs(dict(generation_kwargs or {}), MAX_GEN_TOKS))
    return asked["max_gen_toks"]


def _place(instance: Instance) -> str:
    task = f"Task '{instance.task_name}'" if instance.task_name else "A request"
    return task if instance.doc_id is None else f"{task}, document {instance.doc_id}"


def _args(instance: Instance) -> tuple[Any, ...]:
    return instance.args
