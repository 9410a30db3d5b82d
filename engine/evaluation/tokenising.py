"""Many texts as tokens: on several cores, and of what they have in common each part once.

Five shots stand before every question of a benchmark and a question before each of its choices, so nearly all that is
to be tokenised has been before. Texts are therefore cut where a tokenizer provably makes no token across
(`engine.evaluation.cutting`), and some of them are tokenised whole as well, to be compared.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase
from transformers.tokenization_utils_tokenizers import TokenizersBackend

from engine.evaluation.cutting import first_cut, last_cut, tokens_before
from warehouse.processes import cores

logger = logging.getLogger(__name__)

Tokens = NDArray[np.int32]

_WORTH_A_THREAD = 1 << 16  # characters
_COMPARED = 4  # texts of each call
_PARAGRAPH = "\n\n"


class Text(NamedTuple):
    """A text whose `head`, where it has one, ends at a cut; `special` says whether special tokens are added, None
    leaves it to the tokenizer."""

    head: str
    tail: str
    special: bool | None

    @property
    def whole(self) -> str:
        return self.head + self.tail


class Tokenised(NamedTuple):
    """Tokens of a text's head, special ones before it included, and of its tail."""

    head: Tokens
    tail: Tokens

    @property
    def whole(self) -> Tokens:
        return np.concatenate([self.head, self.tail]) if len(self.head) else self.tail


_NONE: Tokens = np.empty(0, np.int32)


class Tokeniser:
    """Tokenises texts for one tokenizer; may be used by several threads."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._backend = _plain_backend(tokenizer)
        before = None if self._backend is None else tokens_before(self._backend)
        self._before: Tokens | None = None if before is None else np.array(before, np.int32)

    @property
    def is_plain(self) -> bool:
        """Whether its serialisation tells all that it does."""
        return self._backend is not None

    @property
    def splits_special(self) -> bool:
        """Whether the name of a special token in a text is text."""
        return self._backend is not None and self._backend.encode_special_tokens

    def cut(self, text: str) -> int:
        """Where a text's head ends, at its last cut; 0 if it has none."""
        found = last_cut(text) if self._before is not None else None
        return found.end() if found else 0

    def batch(self) -> Batch:
        """For texts that have much in common; what they have in common is kept as long as this is."""
        return Batch(self._strings, self._before)

    def tokens(self, string: str, special: bool | None) -> list[int]:
        """A string's tokens, as the tokenizer itself gives them."""
        added = {} if special is None else {"add_special_tokens": special}
        return self._tokenizer([string], return_attention_mask=False, return_token_type_ids=False, **added)[
            "input_ids"
        ][0]

    def check(self, found: Sequence[tuple[Text, Tokenised]]) -> bool:
        """Compare some texts with what they are when tokenised whole; without any difference, or where nothing is cut,
        True. Otherwise no text is cut from now on."""
        cut = [(text, tokens) for text, tokens in found if text.head]
        for text, tokens in cut[:: max(1, len(cut) // _COMPARED)]:
            if tokens.whole.tolist() != self.tokens(text.whole, text.special):
                logger.warning(
                    "The tokenizer does make tokens across a cut: texts are tokenised whole, which is slower."
                )
                self._before = None
                return False
        return True

    def _strings(self, strings: list[str], special: bool | None) -> list[Tokens]:
        backend = self._backend
        if backend is None:
            return [np.array(self.tokens(string, special), np.int32) for string in strings]

        def some(part: list[str]) -> list[Tokens]:
            # It holds no lock while it works.
            encodings = backend.encode_batch_fast(part, add_special_tokens=special is not False)
            return [np.array(encoding.ids, np.int32) for encoding in encodings]

        threads = min(_threads(), 1 + sum(map(len, strings)) // _WORTH_A_THREAD)
        if threads == 1:
            return some(strings)
        # Neighbours are alike in length: each thread takes every n-th.
        with ThreadPoolExecutor(threads, "tokenising") as pool:
            parts = list(pool.map(some, (strings[first::threads] for first in range(threads))))
        tokens: list[Tokens] = [_NONE] * len(strings)
        for first, part in enumerate(parts):
            tokens[first::threads] = part
        return tokens


class Batch:
    """Texts that have much in common."""

    def __init__(self, strings: Any, before: Tokens | None) -> None:
        self._strings = strings
        self._before = before
        self._pieces: dict[str, Tokens] = {}
        self._paragraphs: dict[str, tuple[str, str] | None] = {}

    def __call__(self, texts: Iterable[Text]) -> dict[Text, Tokenised]:
        texts = dict.fromkeys(texts)
        heads = {key: self._cut(key[0]) for key in dict.fromkeys((text.head, text.special) for text in texts) if key[0]}
        new = dict.fromkeys(piece for pieces in heads.values() for piece in pieces if piece not in self._pieces)
        self._pieces |= zip(new, self._strings(list(new), False), strict=True)
        tails: dict[bool | None, dict[str, Tokens]] = {}
        for special in (True, False, None):
            strings = dict.fromkeys(text.tail for text in texts if _special_of_tail(text) is special)
            tails[special] = dict(zip(strings, self._strings(list(strings), special), strict=True))
        joined: dict[tuple[str, bool | None], Tokens] = {}
        for (head, special), pieces in heads.items():
            before = [] if special is False or self._before is None else [self._before]
            joined[head, special] = np.concatenate([*before, *(self._pieces[piece] for piece in pieces)])
        return {
            text: Tokenised(
                joined[text.head, text.special] if text.head else _NONE, tails[_special_of_tail(text)][text.tail]
            )
            for text in texts
        }

    def _cut(self, head: str) -> list[str]:
        """A head at the first cut of each of its paragraphs: shots are paragraphs."""
        pieces: list[str] = []
        rest = ""
        for paragraph in head.split(_PARAGRAPH):
            if paragraph not in self._paragraphs:
                found = first_cut(paragraph)
                at = found.end() if found else 0
                self._paragraphs[paragraph] = (paragraph[:at], paragraph[at:] + _PARAGRAPH) if found else None
            if (parts := self._paragraphs[paragraph]) is None:
                rest += paragraph + _PARAGRAPH
            else:
                pieces.append(rest + parts[0])
                rest = parts[1]
        if last := rest.removesuffix(_PARAGRAPH):
            pieces.append(last)
        return pieces


def _special_of_tail(text: Text) -> bool | None:
    return False if text.head else text.special


def _plain_backend(tokenizer: Any) -> Any:
    """The `tokenizers.Tokenizer` that does all that the tokenizer does; None where it does more."""
    kind = type(tokenizer)
    if (
        not isinstance(tokenizer, TokenizersBackend)
        or kind._encode_plus is not TokenizersBackend._encode_plus
        or kind.__call__ is not PreTrainedTokenizerBase.__call__
    ):
        return None
    tokenizer("")  # takes truncation and padding off, and sets how special tokens in a text are taken
    return tokenizer.backend_tokenizer


def _threads() -> int:
    """Half of the cores: the others are for what is scored meanwhile, and a thread of Python's takes one as well."""
    return max(1, cores() // 2)
