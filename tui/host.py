"""What a screen may ask of the dashboard around it, beside what any Textual app can do.

Screens know this and not `tui.app`, which knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from textual.message_pump import MessagePump

from tui.entry import Entry


class Host(Protocol):
    @property
    def database(self) -> Path:
        """The DuckDB file that results go to; its runs lie beside it."""
        ...

    @property
    def entries(self) -> Sequence[Entry]:
        """The screens that the digits lead to."""
        ...

    def about(self) -> list[str]:
        """What all screens are of, the most important first: the database, runs at work, the machine, its devices."""
        ...

    def import_published(self) -> object:
        """Bring in the published study, in a thread."""
        ...

    def copy_text(self, text: str, what: str, *, name: str = "copied", suffix: str = ".md") -> None:
        """Copy a text and say where it went; `name` and `suffix` are of the file it goes to without a clipboard."""
        ...

    def action_export(self) -> None:
        """Ask where the table on the screen goes."""
        ...


def host(node: MessagePump) -> Host:
    """Of a screen, or of a part of one."""
    return cast("Host", node.app)
