"""The form that was left half filled: it comes back as it was."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.screen import Screen

from tui.new_run.screen import NewRunScreen

_NAME = "the kept form"


class KeptForm:
    """At most one form, the last that was left with something typed into it."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._form: NewRunScreen | None = None

    def unsaved(self) -> str:
        """As of a screen that is shown."""
        return self._form.unsaved() if self._form is not None else ""

    def leave(self, form: Screen[Any]) -> None:
        """Call before it is taken off the screen: what was typed there stays, in place of what was kept before."""
        if isinstance(form, NewRunScreen) and form.unsaved():
            self.drop()
            self._app.install_screen(form, _NAME)
            self._form = form

    def take(self) -> NewRunScreen | None:
        """The kept form, to be shown again."""
        form, self._form = self._form, None
        if form is not None:
            self._app.uninstall_screen(form)
        return form

    def drop(self) -> None:
        if (form := self.take()) is not None:
            form.remove()
