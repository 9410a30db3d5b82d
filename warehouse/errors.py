"""What can go wrong that the user can mend."""

from __future__ import annotations

from pathlib import Path

from warehouse.commands import hint


class UserError(Exception):
    """One sentence for the user: what is wrong and what to do. Shown without a traceback, exit code 2."""


class DatabaseBusyError(UserError):
    """Another process holds the DuckDB file; `holder` names it when DuckDB says who it is."""

    def __init__(self, message: str, holder: str | None = None) -> None:
        super().__init__(message)
        self.holder = holder


class AlteredError(UserError):
    """What makes the database ours was changed by other hands: no figure from it could be trusted."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} was altered ({why}): {hint('merge', '--from-journals', db=path)} makes it anew from the runs' "
            "journals and from what else it holds, and keeps it as it is under another name."
        )
