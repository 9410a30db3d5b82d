"""What is done beside the event loop, or later in it: nobody waits for it at the end, and late it breaks nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from textual.app import App
from textual.widget import Widget

from engine.errors import UserError

Answer = TypeVar("Answer")


def ask(app: App[None], question: Callable[[], Answer], then: Callable[[Answer], object]) -> None:
    """Call `question` in a thread, and `then` with its answer on the event loop, if that still runs."""

    def run() -> None:
        answer = question()
        if app.is_running:  # else the dashboard was closed meanwhile
            with suppress(RuntimeError):
                app.call_from_thread(then, answer)

    threading.Thread(target=run, daemon=True).start()


def attempt(app: App[None], act: Callable[[], Answer], then: Callable[[Answer], object]) -> None:
    """Do something in a thread, and go on with what came of it on the event loop, or say why it could not be done."""

    def run() -> None:
        try:
            answer = act()
        except Exception as error:
            app.call_from_thread(app.notify, sentence(error), severity="error", timeout=8)
            return
        app.call_from_thread(then, answer)

    app.run_worker(run, thread=True, exit_on_error=False, group="act")


def after_refresh(node: Widget, act: Callable[[], object]) -> None:
    """Call `act` once the screen is drawn, unless `node` is going by then and what `act` looks for may be gone."""
    node.call_after_refresh(lambda: act() if node.is_attached and not node._pruning else None)


def sentence(error: Exception) -> str:
    """What a person is told of something that could not be done; a defect is called one, and is never kept quiet."""
    if isinstance(error, UserError | OSError):
        return str(error)
    return f"It could not be done, which is a defect of prune-tui ({type(error).__name__}: {error})."
