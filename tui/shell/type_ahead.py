"""Keys typed toward an editor that is not there yet: they wait for it, and run no command meanwhile.

A screen that begins in an editor has a class attribute `BEGINS_IN_EDITOR`, or is a form (`TYPED_INTO`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from textual.app import App
from textual.events import Key
from textual.screen import Screen
from textual.widget import Widget

from tui.shell.unsaved import is_typed_into

_LOOK = 0.02  # seconds between looks at whether the editor is there


class TypeAhead:
    """`handle` is what becomes of a key as soon as the screen has its editor."""

    def __init__(self, app: App[Any], handle: Callable[[Key], Awaitable[None]]) -> None:
        self._app = app
        self._handle = handle
        self._held: list[Key] = []
        self._on_their_way: deque[tuple[Key, Screen[Any]]] = deque(maxlen=64)  # and the screen they were handed to
        self._begun: WeakSet[Screen[Any]] = WeakSet()  # their editor had the focus once

    def focused(self, widget: Widget) -> None:
        """A widget has the focus: with an editor its screen has begun, wherever one goes from there."""
        if widget.is_attached and widget.check_consume_key("a", "a"):
            self._begun.add(widget.screen)

    def holds(self, key: Key) -> bool:
        """Take a key from the terminal that has to wait."""
        if self._held or self._is_opening():
            self._hold(key)
            return True
        self._on_their_way.append((key, self._app.screen))
        return False

    def takes_back(self, key: Key) -> bool:
        """Take a key that a field left to the program, and that was typed toward the screen that is there by now."""
        sent_to = next((screen for one, screen in self._on_their_way if one is key), self._app.screen)
        if not (self._held or self._is_opening() or (sent_to is not self._app.screen and self._begins_in_editor())):
            return False
        self._hold(key)
        return True

    def _hold(self, key: Key) -> None:
        if not self._held:
            self._app.set_timer(_LOOK, self._release)
        self._held.append(key)

    def _begins_in_editor(self) -> bool:
        return is_typed_into(self._app.screen) or bool(getattr(self._app.screen, "BEGINS_IN_EDITOR", False))

    def _is_opening(self) -> bool:
        screen = self._app.screen
        if screen in self._begun or not self._begins_in_editor():
            return False
        if screen.focused is not None:
            self.focused(screen.focused)
        return screen not in self._begun

    async def _release(self) -> None:
        if not self._app.screen_stack:  # the program was closed meanwhile
            return
        if self._is_opening():
            self._app.set_timer(_LOOK, self._release)
            return
        held, self._held = sorted(self._held, key=lambda key: key.time), []  # some went through a field first
        for key in held:
            await self._handle(Key(key.key, key.character))
