"""What a screen may ask of the dashboard around it, beside what any Textual app can do.

Screens know this and not `tui.app`, which knows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from textual.message_pump import MessagePump


class Host(Protocol):
    @property
    def database(self) -> Path:
        """The DuckDB file that results go to; its runs lie beside it."""
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
