"""Text from models, tasks, files and errors, as text: it must never steer a terminal. For Markdown: `markdown`."""

from __future__ import annotations


def printable(text: str, *, keep: str = "\n\t") -> str:
    """The text with everything that could steer a terminal or turn a line around replaced, but for `keep`."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in keep else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `1,204 runs`; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
