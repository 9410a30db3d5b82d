"""Recognises documents that a run evaluates on in text that it would be calibrated on."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_WORDS = 8  # in a row that are looked up; the words of one language fall so by chance, but not again and again
_PIECES = 16  # of a document, at most, spread over it
_FEWEST = 5  # of a shorter document, below which it is no more than a phrase
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Hashes of the documents of tasks, by the words that they are made of: case, spacing and punctuation do not count.

    A document is recognised in a text that has half of its pieces of eight words, of which sixteen are looked for at
    most; one of fewer words in a text that has all of it.

    Attributes:
        pieces: by the number of words in it, the hash of a piece and the documents that have it.
        needed: of each document, how many of its pieces make it known.
        tasks: of each document, its task.
    """

    pieces: dict[int, dict[int, list[int]]]
    needed: list[int]
    tasks: list[str]

    @classmethod
    def of(cls, documents: Iterable[tuple[str, str]]) -> HeldOut:
        """Of the documents of tasks, each with its task's name before it."""
        found = cls(defaultdict(lambda: defaultdict(list)), [], [])
        for task, text in documents:
            found._add(task, _words(text))
        return found

    def _add(self, task: str, words: Sequence[str]) -> None:
        if len(words) < _FEWEST:
            return
        size = min(_WORDS, len(words))
        last = len(words) - size
        count = min(_PIECES, last + 1)
        starts = {at * last // max(1, count - 1) for at in range(count)}
        own = {_hash(words[start : start + size]) for start in starts}
        for piece in own:
            self.pieces[size][piece].append(len(self.needed))
        self.needed.append(-(-len(own) // 2))
        self.tasks.append(task)

    def within(self, text: str) -> list[str]:
        """The tasks of the documents that a text has, one for each document."""
        words = _words(text)
        seen: dict[int, set[int]] = defaultdict(set)
        for size, pieces in self.pieces.items():
            for piece in _slid(words, size):
                for document in pieces.get(piece, ()):
                    seen[document].add(piece)
        return [self.tasks[document] for document, own in seen.items() if len(own) >= self.needed[document]]


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _slid(words: Sequence[str], size: int) -> Iterator[int]:
    return (_hash(words[start : start + size]) for start in range(len(words) - size + 1))


def _hash(words: Sequence[str]) -> int:
    return hash(" ".join(words))
