"""Which run folders are a database's: those under `<its stem>.runs` beside it, but for what another one put there.

`results.duckdb` and `results.db` have one `results.runs`; each run's plan names the database that it is for. Where
database and runs were renamed together, the plan names a file of another stem, and the folder's name counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


def root(database: Path) -> Path:
    """The folder of a database's runs: `results.duckdb` has `results.runs`. Behind a link it is the one beside the file
    that is meant, unless there is one beside the link.
    """
    beside = database.with_suffix(".runs")
    return database.resolve().with_suffix(".runs") if database.is_symlink() and not beside.exists() else beside


def names(under: Path) -> list[str]:
    """The names of the folders there, oldest first: a run's begins with its time. One with a dot is on its way."""
    try:
        with os.scandir(under) as entries:
            return sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def of(database: Path, under: Path) -> list[Path]:
    """The folders of a database's runs under a folder, oldest first."""
    return [folder for name in names(under) if belongs(folder := under / name, database)]


def belongs(folder: Path, database: Path) -> bool:
    """Whether a run's folder is this database's; one whose plan cannot be read is everybody's, to be told of."""
    try:
        named = json.loads((folder / "plan.json").read_bytes())["database"]
        return is_for(folder / named, database)
    except (OSError, ValueError, KeyError, TypeError):
        return True


def is_for(planned: Path, database: Path) -> bool:
    """Whether a run for the database that its plan names, among this one's, is for this one."""
    alike = planned.stem.casefold() == database.stem.casefold()
    named_so = planned.name.casefold() == database.name.casefold()
    return not alike or named_so or planned.resolve() == database.resolve()


def database_of(folder: Path, named: str) -> Path:
    """The database that a run fills, from what its plan names, seen from its folder.

    Where the two were renamed together, or the folder of runs is a link made for a renamed database, there is a
    file named after it now.
    """
    root, planned = folder.absolute().parent, (folder.resolve() / named).resolve()
    renamed = root.with_suffix(planned.suffix)
    if planned.stem.casefold() != root.stem.casefold() and renamed.is_file():
        return renamed.resolve()
    return planned


def of_others(database: Path, under: Path) -> list[Path]:
    """The databases for which the other runs under a folder were planned."""
    planned: set[Path] = set()
    for name in names(under):
        folder = under / name
        if not belongs(folder, database):
            planned.add(database_of(folder, json.loads((folder / "plan.json").read_bytes())["database"]))
    return sorted(planned)
