"""What it costs to open a current file and to make a new one: `python benchmarks/opening.py`, milliseconds of CPU."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from warehouse.store import catalog, db, template

TIMES = 30


def cost(what: str, do: Callable[[], object], times: int = TIMES) -> None:
    do()
    begun = time.process_time()
    for _ in range(times):
        do()
    print(f"{what:<50}{1000 * (time.process_time() - begun) / times:8.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "results.duckdb"

        def opened(how: Callable[..., AbstractContextManager[object]]) -> None:
            with how(path):
                pass

        def new() -> None:
            path.unlink(missing_ok=True)
            template.write(path)

        cost("a new file, a copy", new)
        cost("a new file, made statement by statement", lambda: (path.unlink(), template.make(path)), 3)
        cost("DuckDB alone opens it", lambda: duckdb.connect(path, read_only=True).close())
        with duckdb.connect(path, read_only=True) as con:
            cost("what it holds compared with ours", lambda: catalog.compare(con, catalog.read(con), template.ours()))
        cost("opened for writing", lambda: opened(db.open_write))
        time.sleep(0.05)
        cost("opened for reading, unchanged since the last time", lambda: opened(db.open_read))


if __name__ == "__main__":
    main()
