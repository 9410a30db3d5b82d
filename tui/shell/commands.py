"""The commands of the palette that are keys as well: every action of a screen, and of the program, by its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import SystemCommand
from textual.screen import Screen


def commands(screen: Screen[Any]) -> Iterator[SystemCommand]:
    listed: set[str] = set()
    for _, binding, enabled, tooltip in screen.active_bindings.values():
        words = tooltip or binding.tooltip or binding.description
        named = binding.show or binding.tooltip  # moving about by arrows needs no palette
        if enabled and named and binding.description and binding.action not in listed:
            listed.add(binding.action)
            yield SystemCommand(
                binding.description,
                f"{words} ({screen.app.get_key_display(binding)})",  # brackets would be read as markup
                partial(screen.call_later, screen.run_action, binding.action),
            )
