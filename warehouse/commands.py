"""Commands that a message tells a person to give: with the database that is meant, else they read another one."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

_VARIABLE = "PRUNE_TUI_DB"
_DEFAULT = Path("results.duckdb")


def hint(*arguments: str, db: Path) -> str:
    """As `prune-tui resume ID`, with `--db` where commands would not take this database by themselves."""
    return shlex.join(["prune-tui", *arguments, *([] if _is_default(db) else ["--db", str(db)])])


def _is_default(db: Path) -> bool:
    own = Path(os.environ.get(_VARIABLE) or _DEFAULT)
    return own == _DEFAULT and db.absolute() == _DEFAULT.absolute()
