"""Commands that a message tells a person to give: with the database that is meant, else they read another one."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

VARIABLE = "PRUNE_TUI_DB"
DEFAULT = Path("results.duckdb")


def hint(*arguments: str, db: Path) -> str:
    """As `prune-tui resume ID`, with `--db` where commands would not take this database by themselves."""
    own = Path(os.environ.get(VARIABLE) or DEFAULT)
    return shlex.join(["prune-tui", *arguments, *([] if db == own == DEFAULT else ["--db", str(db)])])
