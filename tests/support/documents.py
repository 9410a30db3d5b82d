"""A run that keeps a task's documents and each level's answers, as far as a reader needs them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import polars as pl
from run_writer import RunWriter

_ANSWERS = {"log_likelihoods": pl.List(pl.Float64), "greedy": pl.List(pl.Boolean), "texts": pl.List(pl.String)}
_SCHEMA: Any = {
    "doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
    "response": pl.String, "terms": pl.List(pl.Float64),
}  # fmt: skip
OF_LEVEL = {"0": [-1.0, -1 / 3], "40": [-0.25, float("-inf")]}


def _write(run: RunWriter, name: str, rows: list[tuple], schema: dict[str, Any]) -> tuple[str, str]:
    path = run.folder / name
    path.parent.mkdir(exist_ok=True)
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(path)
    return name, sha256(path.read_bytes()).hexdigest()


def answered(run: RunWriter, level: str, *, before: bool = False) -> None:
    """A cell with two documents; `before` there were answers, its file has no columns for them and no hash."""
    rows: list[tuple] = []
    for doc_id in (0, 1):
        for at, metric in enumerate(("acc", "acc_norm")):
            row = (doc_id, "none", metric, float(at), None, str(at), None)
            given = (OF_LEVEL.get(level, [-2.0, -3.0]), [False, True], []) if at == 0 else (None, None, None)
            rows.append(row if before else (*row, *given))
    path, hash_ = _write(run, f"samples/{level}-piqa-1.parquet", rows, _SCHEMA if before else _SCHEMA | _ANSWERS)
    told: dict[str, Any] = {"samples": path} if before else {"samples": path, "samples_hash": hash_}
    run.cell(level, "piqa", 0.5, **told)


def documented(run: RunWriter) -> None:
    rows = [(at, sha256(b"%d" % at).digest(), [f"Q{at}: Bär?"], [" yes", " no"], str(at)) for at in (0, 1)]
    schema: dict[str, Any] = {
        "doc_id": pl.Int32, "doc_hash": pl.Binary, "prompts": pl.List(pl.String), "choices": pl.List(pl.String),
        "target": pl.String,
    }  # fmt: skip
    path, hash_ = _write(run, "documents/piqa-1.parquet", rows, schema)
    run.line("documents", task="piqa", count=2, path=path, hash=hash_)
