"""A screen that shows what the warehouse knows: it reads in threads and says on screen what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual import work
from textual.binding import Binding
from textual.message import Message
from textual.reactive import var
from textual.screen import Screen

from tui.host import host
from tui.shell.queries import CancelledError, Question, Reader, Rows, stamp

IMPORT = Binding("I", "import_study", "Import the study", tooltip="Bring in the published study's figures")
"""For the screens that can be empty."""

Then = Callable[[list[Rows]], None]

_LOOK = 2.0  # seconds between looks at whether the file changed
# A reader keeps the run that writes from the file: after a slow answer it is left alone for this many times as long.
_REST = 4.0
_SLOW = 3.0  # seconds; waiting for the file takes less

NO_RESULTS = (
    "No results yet.\n\n"
    "[b]n[/b]  starts a run: its scores appear here as it finishes them.\n\n"
    "[b]I[/b]  brings in the published study (Llama 3.2 1B, 3B and 1B-Instruct\n"
    "at up to seven levels)."
)


class Answered(Message):
    """What was asked is here; or why it is not."""

    def __init__(self, group: str, turn: int, then: Then, answers: list[Rows] | None, error: str = "") -> None:
        super().__init__()
        self.group = group
        self.turn = turn
        self.then = then
        self.answers = answers
        self.error = error


class ReadingScreen(Screen[Any]):
    """Subclasses implement `reload`, called when the screen is shown and the file has changed since."""

    AUTO_FOCUS = ""

    empty: var[bool] = var(False, bindings=True)
    """Whether there is nothing to show yet, and so nothing for the screen's own keys to act on."""

    def __init__(self) -> None:
        super().__init__()
        self._reader: Reader | None = None
        self._seen: object = ()
        self._unanswered: set[str] = set()
        self._asked: dict[str, float] = {}  # groups whose answer is on its way, and since when
        self._rests_until = 0.0

    @property
    def database(self) -> Path:
        return host(self).database

    def reload(self) -> None:
        raise NotImplementedError

    def said(self, message: str) -> None:
        """Show a message where the screen has its messages; an empty one takes it away."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "import_study":
            return self.empty
        own = {binding.action.partition("(")[0] for binding in self.BINDINGS if isinstance(binding, Binding)}
        if self.empty and action in own:
            return False
        return super().check_action(action, parameters)

    def action_import_study(self) -> None:
        host(self).import_published()

    def on_mount(self) -> None:
        self._reader = Reader(self.database)
        self.look()
        self.set_interval(_LOOK, self.look)

    def on_screen_resume(self) -> None:
        if self._reader is not None:
            self.look()

    def on_unmount(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    def look(self) -> None:
        """Reload if the file is another one than was last read, or could not be read.

        Not while an answer is on its way: where one takes longer than the time between two looks, and a run keeps
        changing the file, none would ever arrive.
        """
        if not self.is_current or self._asked or time.monotonic() < self._rests_until:
            return
        seen = stamp(self.database)
        if seen != self._seen or self._unanswered:
            self._seen = seen
            self.reload()

    def ask(self, group: str, questions: list[Question], then: Then) -> None:
        """Have questions answered in a thread, then call `then`; a newer question of the group replaces an older."""
        if self._reader is not None:
            self._asked[group] = time.monotonic()
            self._answer_in_thread(self._reader, group, self._reader.turn(group), questions, then)

    @work(thread=True, group="reading")
    def _answer_in_thread(self, reader: Reader, group: str, turn: int, questions: list[Question], then: Then) -> None:
        from warehouse.errors import UserError

        try:
            answers = reader.ask(group, turn, *questions)
        except CancelledError:
            return
        except UserError as error:
            self.post_message(Answered(group, turn, then, None, str(error)))
        except OSError as error:
            self.post_message(Answered(group, turn, then, None, f"{self.database} could not be read: {error}"))
        else:
            self.post_message(Answered(group, turn, then, answers))

    def on_answered(self, event: Answered) -> None:
        if self._reader is None or self._reader.current(event.group) != event.turn:
            return
        now = time.monotonic()
        took = now - self._asked.pop(event.group, now)
        if took > _SLOW:
            self._rests_until = max(self._rests_until, now + _REST * took)
        if event.answers is None:
            self._unanswered.add(event.group)
            self.said(event.error)
            return
        self._unanswered.discard(event.group)
        if not self._unanswered:
            self.said("")
        event.then(event.answers)
