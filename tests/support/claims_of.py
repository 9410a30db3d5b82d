"""What the study's claims are told from: questions to a connection that has them, and the widths of made-up models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckdb import DuckDBPyConnection

from warehouse.store import db, studies

LEVELS = ("0", "10", "20", "30")
WIDTHS = {"0": 100, "10": 90, "20": 80, "30": 70}

# Both sizes of a made-up family, at 0, 10, 20 and 30 %: the smaller, the larger.
AS_THE_STUDY_SAYS = {
    "ifeval": ((0.10, 0.20, 0.25, 0.30), (0.10, 0.20, 0.25, 0.30)),
    "leaderboard_musr": ((0.34, 0.40, 0.45, 0.50), (0.36, 0.36, 0.36, 0.36)),
    "truthfulqa_mc2": ((0.37, 0.42, 0.47, 0.52), (0.38, 0.43, 0.48, 0.53)),
    "truthfulqa_mc1": ((0.23, 0.28, 0.30, 0.32), (0.25, 0.25, 0.25, 0.25)),
    "mmlu": ((0.60, 0.55, 0.53, 0.50), (0.70, 0.60, 0.30, 0.28)),
    "gsm8k": ((0.50, 0.30, 0.20, 0.10), (0.60, 0.20, 0.10, 0.05)),
    "boolq": ((0.80, 0.75, 0.72, 0.70), (0.85, 0.70, 0.60, 0.55)),
    "wikitext": ((10, 20, 40, 80), (8, 24, 72, 216)),
    "lambada_openai": ((5, 10, 20, 40), (4, 16, 64, 256)),
    "hellaswag": ((0.60, 0.50, 0.40, 0.30), (0.70, 0.60, 0.50, 0.40)),
    "piqa": ((0.80, 0.75, 0.70, 0.65), (0.80, 0.75, 0.70, 0.65)),
    "winogrande": ((0.70, 0.65, 0.60, 0.55), (0.70, 0.65, 0.60, 0.55)),
}


@contextmanager
def reading(database: Path) -> Iterator[DuckDBPyConnection]:
    """A connection that has the claims."""
    with db.open_read(database) as con:
        studies.make_for(con, " ".join(studies.names()))
        yield con


def answer(database: Path, sql: str) -> list[tuple]:
    with db.open_read(database) as con:
        studies.make_for(con, sql)
        return con.execute(sql).fetchall()
