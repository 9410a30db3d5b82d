"""Texts of any length, kept short: secrets hidden, the middle of a long one left out, and how much that was, said."""

from __future__ import annotations

import re
from collections.abc import Iterable

from warehouse.redaction import redacted

SHORTEST = 64
"""The least that a text can be cut to: what says how much was left out takes half of it."""
_NOTE = re.compile(r"\A\[… [\d,]+ characters left out …\]\s*")


def excerpts(texts: Iterable[tuple[str, int]]) -> list[str]:
    """Each text as it is or, of one with more characters than the number beside it, both ends in as many.

    All at once, since the environment is looked through for secrets once a call. What it costs is bounded as well: of
    a long text only the ends are searched, each wide enough for what is kept of it.
    """
    ends = [
        (text, "", len(text), most) if len(text) <= 4 * most else (text[: 2 * most], text[-2 * most :], len(text), most)
        for text, most in texts
    ]
    return [_whole_characters(_joined(*hidden)) for hidden in redacted(ends)]


def without_beginning(text: str, start: int) -> str:
    """The text from a character on, after a line that says how many stand before it."""
    return f"{_left_out(start)}\n{text[start:]}" if start else text


def without_note(text: str) -> str:
    """The text without what `without_beginning` says before it: for a line that has room for its own words only."""
    return _NOTE.sub("", text, count=1)


def _joined(head: str, tail: str, length: int, most: int) -> str:
    if not tail:
        if len(head) <= most:
            return head
        length, tail = len(head), head
    room = most - len(_left_out(length))  # a smaller number is no longer in writing
    said = _left_out(length - room)
    before = room // 2
    return head[:before] + said + tail[len(tail) - (room - before) :]


def _left_out(count: int) -> str:
    return f"[… {count:,} characters left out …]"


def _whole_characters(text: str) -> str:
    """Half a character, as a damaged data set may hold, cannot be written as UTF-8."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if not text.isascii() else text
