"""Where a generated text ends: where lm-eval's `hf` backend ends it, working on one prompt at a time.

It looks at every step whether a stop string stands in what the last tokens decode to, as many as the string has of its
own and two more, special tokens included. Decoding at every step would take longer than a GPU takes to compute it.
What a token adds to a text is nearly always known beforehand, though, and only where that could be the end of a stop
string is the same looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

_SLACK = 2  # tokens that are decoded beyond a stop string's own, as lm-eval does
# Decoders of the tokenizers library for which a text is its tokens' texts one after the other, but for what stands at
# its very beginning, and for tokens that are no whole characters.
_ADDING_UP = {"ByteLevel", "Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"}


class Pieces:
    """What each token of a tokenizer adds to a decoded text.

    Attributes:
        decode: tokens to text, special tokens included, as `tokenizer.decode` does.
        known: by token; None where that is not so simple for this tokenizer.
        partial: tokens that are parts of characters, whose text depends on their neighbours.
    """

    def __init__(self, tokenizer: Any, *, plain: bool) -> None:
        """`plain` says that the tokenizers library's own decoding is all of the tokenizer's."""
        self.decode: Callable[[list[int]], str] = tokenizer.decode
        self.known: dict[int, str] | None = None
        self.partial: frozenset[int] = frozenset()
        if not plain:
            return
        backend = tokenizer.backend_tokenizer
        self.decode = lambda tokens: backend.decode(tokens, skip_special_tokens=False)
        if not _adds_up(backend.decoder):
            return
        tokens = sorted(tokenizer.get_vocab().values())
        alone = backend.decode_batch([[token] for token in tokens], skip_special_tokens=False)
        before = next((token for token, text in zip(tokens, alone, strict=True) if text.isalpha()), None)
        if before is None:
            return
        start = self.decode([before])
        texts = backend.decode_batch([[before, token] for token in tokens], skip_special_tokens=False)
        self.partial = frozenset(
            token for token, text in zip(tokens, texts, strict=True) if "\ufffd" in text or not text.startswith(start)
        )
        self.known = {token: text[len(start) :] for token, text in zip(tokens, texts, strict=True)}


class Ending:
    """Finds where generated tokens end: with a token of `eos`, or with the token that completes one of `until`."""

    def __init__(self, pieces: Pieces, tokenizer: Any, until: Sequence[str], eos: Collection[int]) -> None:
        self._decode = pieces.decode
        self._eos = frozenset(eos)
        self._at_once = "" in until  # an empty string stands in any text
        self._stops: dict[int, list[str]] = {}  # by how many of the last tokens they are looked for in
        for stop in until:
            own = len(tokenizer.encode(stop, add_special_tokens=False))
            self._stops.setdefault(own + _SLACK, []).append(stop)
        self._reach = max(self._stops, default=0)
        self._partial = pieces.partial
        self._suspects = None if pieces.known is None else _suspects(pieces.known.items(), until)

    def __call__(self, tokens: list[int], start: int = 0) -> int | None:
        """How many of the tokens there are up to the end, which is not before `start`; None if none of them is it."""
        # Beside part of a character, and when that has just left what is decoded, other characters may read otherwise.
        unsure = 0
        for at in range(max(0, start - self._reach), len(tokens)):
            token = tokens[at]
            unsure = self._reach + 1 if token in self._partial else unsure - 1
            if at < start:
                continue
            if token in self._eos or self._at_once:
                return at + 1
            if (unsure > 0 or self._suspects is None or token in self._suspects) and self._stops_at(tokens, at + 1):
                return at + 1
        return None

    def _stops_at(self, tokens: list[int], end: int) -> bool:
        for reach, stops in self._stops.items():
            text = self._decode(tokens[max(0, end - reach) : end])
            if any(stop in text for stop in stops):
                return True
        return False


def _suspects(pieces: Iterable[tuple[int, str]], until: Sequence[str]) -> frozenset[int]:
    """Tokens that hold a stop string, or begin with the end of one."""
    ends = tuple(stop[at:] for stop in until for at in range(len(stop)))
    return frozenset(
        token for token, text in pieces if text.startswith(ends) or any(stop in text for stop in until if stop)
    )


def _adds_up(decoder: Any) -> bool:
    if decoder is None:
        return False
    state = json.loads(decoder.__getstate__())
    return all(part["type"] in _ADDING_UP for part in state.get("decoders", [state]))
