"""A screen's entry: the key that leads to it, what it is called, and where its code is, imported when it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from textual.screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The first by their keys is shown first. `words` say what the screen is for; `screen` is its class in `module`."""

    mode: str
    key: str
    title: str
    words: str
    module: str
    screen: str

    def __call__(self) -> Screen[Any]:
        return getattr(import_module(self.module), self.screen)()
