"""The commands that the pages show, taken out of their blocks of shell and their inline code, word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

_BLOCK = re.compile(r"^(?P<indent> *)```(?:sh|bash)\n(?P<text>.*?)^ *```", re.M | re.S)
_NOT_RUN = "<!-- not run -->"
_OPERATORS = "|&;<>()"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of shell: what it says, and whether the page says that no test runs it."""

    text: str
    is_run: bool


def blocks(page: str) -> list[Block]:
    return [
        Block(found["text"], not page[: found.start()].rstrip().endswith(_NOT_RUN)) for found in _BLOCK.finditer(page)
    ]


def commands(page: str) -> Iterator[list[str]]:
    """The words of every call of prune-tui on a page, without its name."""
    for block in blocks(page):
        for line in logical_lines(block.text):
            yield from calls(line)
    for code in re.findall(r"`(prune-tui [^`\n]+)`", _BLOCK.sub("", page)):
        yield from calls(code)


def logical_lines(text: str) -> Iterator[str]:
    """Lines of shell, those joined that a backslash or an open quotation mark joins."""
    line = ""
    for part in text.splitlines():
        line = f"{line}\n{part}" if line else part
        if line.endswith("\\"):
            line = line[:-1]
            continue
        try:
            shlex.split(line, comments=True)
        except ValueError:
            continue
        yield line
        line = ""
    if line.strip():
        raise ValueError(f"a quotation is not closed: {line!r}")


def calls(line: str) -> Iterator[list[str]]:
    words = shlex.shlex(line, posix=True, punctuation_chars=_OPERATORS)
    words.whitespace_split = True
    for is_operator, group in groupby(words, lambda word: set(word) <= set(_OPERATORS)):
        if not is_operator:
            yield from _call(list(group))


def _call(words: Sequence[str]) -> Iterator[list[str]]:
    for at, word in enumerate(words):
        if " " in word and "prune-tui " in word:  # a command within quotation marks, for another program
            yield from calls(word)
        elif Path(word).name == "prune-tui" and all(_stands_before(one) for one in words[:at]):
            yield list(words[at + 1 :])
            return


def _stands_before(word: str) -> bool:
    return word in ("exec", "export", "nohup", "time") or "=" in word
