"""What a shell completes beside the names of commands and options: runs, tasks and models.

Light, since a shell waits for it: torch is never loaded, the database is open for an instant, and where something
cannot be read there is nothing to complete.
"""

from __future__ import annotations

from typing import Annotated

import typer

RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Its id, the beginning of one, its name, or `latest`."),
]
