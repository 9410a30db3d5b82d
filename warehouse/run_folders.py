"""Which run folders are a database's: those under `<its stem>.runs` beside it, but for what another one put there.

`results.duckdb` and `results.db` have one `results.runs`; each run's plan names the database that it is for. Where
database and runs were renamed together, the plan names a file of another stem, and the folder's name counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path


def root(database: Path) -> Path:
    """The folder of a database's runs: `results.duckdb` has `results.runs`."""
    return database.with_suffix(".runs")


def of(database: Path, under: Path) -> Iterator[Path]:
    """The folders of a database's runs under a folder, oldest first."""
    for folder in sorted(path for path in under.glob("[!.]*") if path.is_dir()):
        if belongs(folder, database):
            yield folder


def belongs(folder: Path, database: Path) -> bool:
    """Whether a run's folder is this database's; one whose plan cannot be read is everybody's, to be told of."""
    try:
        named = json.loads((folder / "plan.json").read_bytes())["database"]
        planned = folder.resolve() / named
    except (OSError, ValueError, KeyError, TypeError):
        return True
    alike = planned.stem.casefold() == database.stem.casefold()
    named_so = planned.name.casefold() == database.name.casefold()
    return not alike or named_so or planned.resolve() == database.resolve()
