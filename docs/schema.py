"""Writes docs/schema.md, the tables and views of a database, from what a new one says of itself: `make reference`."""

from __future__ import annotations

import re
import tempfile
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from warehouse.store import answers, db, template

PAGE = Path(__file__).with_name("schema.md")
HEAD = """\
# What stands in a database

Written by `make reference` from the comments in a new results file; `prune-tui schema` and `prune-tui schema NAME` say
the same of yours, and [results](results.md) what to ask it. Rows are only appended: the tables have all that was
recorded, the views choose what is current.
"""
_TITLES = {"view": "Views", "table": "Tables"}


# Every column at once: DuckDB binds all views for each time that it is asked for one's.
_COLUMNS = "select table_name, column_name, lower(data_type), comment from duckdb_columns() where not internal"


def page() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "results.duckdb"
        template.write(database)
        with db.open_read(database) as con:
            sources = answers.ask(con, "console_names")
            found = con.execute(f"{_COLUMNS} order by table_name, column_index").fetchall()
    columns = {name: list(rows) for name, rows in groupby(found, itemgetter(0))}
    parts = [HEAD]
    for kind, title in _TITLES.items():
        parts.append(f"## {title}\n")
        parts += [_section(one, columns[one["name"]]) for one in sources if one["kind"] == kind]
    return "\n".join(parts)


def _section(source: dict[str, Any], columns: list[tuple[str, str, str, str | None]]) -> str:
    rows = [f"| `{name}` | {kind} | {_text(comment or '')} |" for _, name, kind, comment in columns]
    return "\n".join(
        [
            f"### {source['name']}\n\n{_text(source['comment'])}\n\n| column | type | what it holds |\n|---|---|---|",
            *rows,
            "",
        ]
    )


def _text(text: str) -> str:
    """Markdown in which no sign of a comment means something else."""
    return re.sub(r"[|<*]", r"\\\g<0>", " ".join(text.split()))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
