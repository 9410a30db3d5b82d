"""A Textual app for other people's text and for work that goes on without it.

Nothing it shows is read as markup or steers the terminal; keys typed ahead of its end do nothing; a defect ends it with
one sentence.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.filter import LineFilter
from textual.notifications import SeverityLevel

from tui.shell.gate import OnlyPrintable
from tui.shell.themes import DARK, THEMES
from warehouse.text import one_line, printable

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.dom import DOMNode


class SafeApp(App[None]):
    CSS_PATH = Path(__file__).with_name("tokens.tcss")

    def __init__(self) -> None:
        super().__init__()
        self._only_printable = OnlyPrintable()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        for name in set(self.available_themes) - {theme.name for theme in THEMES}:
            self.unregister_theme(name)

    def on_load(self) -> None:
        # Textual has tasks begun eagerly from Python 3.12 on. What is in the first screen is then mounted before that
        # screen is on the stack, and ends the program as soon as it asks for its screen (Textual #6444).
        asyncio.get_running_loop().set_task_factory(None)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but never read as markup, whatever a widget's default says: it is other people's text."""
        super().notify(printable(message), title=one_line(title), severity=severity, timeout=timeout, markup=False)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*super().get_line_filters(), self._only_printable)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Once it was told to close, keys that were typed ahead open nothing any more: it would be closed half made."""
        return False if self._exit else await super().run_action(action, default_namespace, namespaces)

    def _handle_exception(self, error: Exception) -> None:
        """A defect: leave with one sentence, and the details in a file. Tests see it as it is."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        handle, path = tempfile.mkstemp(prefix="prune-tui-defect-", suffix=".txt", text=True)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(traceback.format_exception(error))
        self.exit(
            return_code=1,
            message=f"prune-tui met a defect ({type(error).__name__}) and closed; runs go on. Details: {path}",
        )
