"""What a connection to a results file may reach: that file, and the folders that its caller names.

A file may come from anybody, and what is in it (views, macros, defaults of columns) is executed by whoever asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.store import statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SHUT = {"enable_external_access": "false"}
_ALWAYS = {
    # A file that is SQLite's, say, makes DuckDB fetch what can read it from the network.
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    # Else a table that is missing is looked for among the variables of our own functions.
    "python_enable_replacements": "false",
}


def config(reach: Sequence[Path]) -> dict[str, str]:
    """What to open a connection with; with a `reach`, `confine` has to follow."""
    return _ALWAYS if reach else _ALWAYS | _SHUT


def confine(con: DuckDBPyConnection, reach: Sequence[Path]) -> None:
    """Shut all files off but those under the folders, and the files, of `reach`: DuckDB takes no such list earlier, and
    none once the door is shut. It follows no link in there.
    """
    if not reach:
        return
    there = [path.resolve() for path in reach]
    folders = [str(path) for path in there if path.is_dir()]
    files = [str(path) for path in there if not path.is_dir()]
    for name, allowed in (("confine_folders", folders), ("confine_files", files)):
        con.execute(statements.query(name).replace("{paths}", ", ".join(map(_quoted, allowed))))
    con.execute(statements.query("confine"))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
