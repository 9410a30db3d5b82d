"""What tells a person that a run has ended, while they look elsewhere: as `notify` and `on_end` of `config` say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from textual.app import App

from engine import settings

BELL, DESKTOP = "bell", "desktop"


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that was at work a moment ago; `said` is how it ended, in a sentence."""

    run_id: str
    name: str
    state: str
    said: str


def tell(app: App[Any], ended: Iterable[Ended], *, database: str) -> None:
    """Ring, show a desktop notification and call the command, whichever was chosen.

    The terminal shows the desktop's notification (OSC 9), which reaches a person over SSH; one that cannot ignores it.
    The command is run by the shell and not waited for; it finds PRUNE_TUI_RUN, _RUN_NAME, _STATE and _DB in its
    environment.
    """
    for one in ended:
        for way in settings.notify():
            if way == BELL:
                app.bell()
            elif way == DESKTOP and app._driver is not None:
                words = "".join(c for c in one.said if c.isprintable())
                app._driver.write(f"\x1b]9;prune-tui: {words}\x07")
        if command := settings.on_end():
            told = {
                "PRUNE_TUI_RUN": one.run_id, "PRUNE_TUI_RUN_NAME": one.name, "PRUNE_TUI_STATE": one.state,
                "PRUNE_TUI_DB": database,
            }  # fmt: skip
            try:
                subprocess.Popen(
                    command, shell=True, env=os.environ | told, start_new_session=True, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                app.notify(f"The command on_end of config could not be started: {error.strerror}.", severity="error")
