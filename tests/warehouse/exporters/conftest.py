"""A database to share, its bundle, and where another one receives it."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from template import copied, once

from warehouse.exporters.bundle import write_bundle


def write_samples(run, level: str, scores: list[int]) -> str:
    name = f"samples/{level}-piqa-1.parquet"
    pl.DataFrame(
        {
            "doc_id": pl.Series(range(len(scores)), dtype=pl.Int32),
            "filter": "none",
            "metric": "acc",
            "value": pl.Series(scores, dtype=pl.Float64),
            "weight": pl.Series([None] * len(scores), dtype=pl.Float64),
            "response": [str(score) for score in scores],
        }
    ).write_parquet(run.folder / name)
    return name


@pytest.fixture
def filled(new_run, merged, metric, database, study, session_folder) -> Path:
    """A run with documents, a failure and odd numbers, one of another model, and the study; made once a session."""

    def make(kept: Path) -> None:
        fill(new_run, merged, metric, database, study)
        shutil.copytree(database.parent, kept)

    shutil.copytree(once(session_folder / "sender", make), database.parent, dirs_exist_ok=True)
    return database


def fill(new_run, merged, metric, database: Path, study: Path) -> None:
    copied(study, database)
    run = new_run("r1")
    run.start()
    for level, scores in (("0", [1, 1, 1, 0, 1, 0]), ("20", [1, 0, 1, 0, 1, 0]), ("40", [0, 0, 1, 0, 0, 0])):
        name = write_samples(run, level, scores)
        run.cell(level, "piqa", metrics=[metric("acc", sum(scores) / 6, stderr=0.1)], samples=name)
        run.cell(level, "wikitext", metrics=[metric("word_perplexity", float("inf") if level == "40" else 10.0)])
    run.line("cell_failed", level="40", task="boolq", error="out of memory", detail="…")
    run.line("gpu", samples=[{"power": float("nan")}])
    run.line("finished", failed=1)
    other = new_run("r2")
    other.start(model="org/Other", weights="w2")
    other.cell("0", "piqa", 0.5)
    merged(run, other)


@pytest.fixture
def bundle(filled, tmp_path, session_folder) -> Path:
    kept = once(session_folder / "sender.bundle", lambda draft: write_bundle(filled, draft))
    return Path(shutil.copy(kept, tmp_path / "shared.bundle"))


@pytest.fixture
def received(tmp_path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "received.duckdb"
