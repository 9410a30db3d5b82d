"""Runs for tests: a journal written line by line, with the times and figures that a test asks for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from warehouse import db, merge


class RunWriter:
    """Writes one run's folder. Models have 1000 parameters, 100 neurons a layer and a hidden size of 25."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seq = 0
        (folder / "samples").mkdir(parents=True)
        self.path.touch()

    @property
    def path(self) -> Path:
        return self.folder / "journal.jsonl"

    def line(self, kind: str, t: float = 0.0, **fields: Any) -> int:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seq": self.seq, "t": 1_750_000_000 + t, "kind": kind} | fields) + "\n")
        self.seq += 1
        return self.seq - 1

    def start(
        self,
        *,
        model: str = "org/Tiny",
        weights: str | None = "w1",
        method: str = "maw",
        conditions: str | dict[str, Any] = "all documents",
        dtype: str | None = "float32",
        config: str | None = None,
        tokenizer: str | None = None,
        revision: str | None = None,
        tuned: bool | None = None,
        widths: Mapping[str, int] | None = None,
        scale: int = 1,
        t: float = 0.0,
    ) -> None:
        """Everything before the first cell; `widths` maps levels to neurons, `scale` makes the model larger."""
        plan = {"name": self.folder.name, "method": method, "suite": None, "model": model}
        self.line("plan", t, plan=plan, conditions=conditions, dtype=dtype)
        self.line("attempt", t, attempt=1, pid=1, host="here", provenance={"versions": {"torch": "2.13"}})
        self.line(
            "model", t, model=model, source=model, revision=revision, weights_hash=weights, model_type="llama",
            hidden_size=25 * scale, intermediate_size=100, num_hidden_layers=1, num_attention_heads=1,
            num_key_value_heads=1, vocab_size=10, tied_embeddings=True, parameters=1000 * scale, bytes=4000 * scale,
            config_hash=config, tokenizer_hash=tokenizer, tuned=tuned,
        )  # fmt: skip
        for level, width in (widths or {"0": 100, "20": 80, "40": 60}).items():
            self.line(
                "variant", t, level=level, method=method, pruning_pct=100.0 - width, intermediate_size=width,
                padded_size=width, expansion_ratio=width / (25 * scale), parameters=10 * width * scale,
                bytes=40 * width * scale,
            )  # fmt: skip

    def cell(
        self,
        level: str,
        task: str,
        value: float | None = None,
        /,
        *,
        metrics: list[dict] | None = None,
        t: float = 0.0,
        **fields: Any,
    ) -> int:
        """A finished cell: one `acc` of this value unless `metrics` says otherwise."""
        about = {"part_of": None, "is_group": False, "version": "1", "num_fewshot": 0, "seconds": 1.0, "samples": None}
        metrics = metrics or [metric("acc", value)]
        return self.line("cell", t, **about | {"level": level, "task": task, "metrics": metrics} | fields)


def metric(name: str, value: float | None, **fields: Any) -> dict[str, Any]:
    better = name not in ("perplexity", "word_perplexity")
    known = {"filter": "none", "stderr": None, "n": 10, "higher_is_better": better}
    return {"metric": name, "value": value} | known | fields


@pytest.fixture(name="metric")
def metric_() -> Callable[..., dict[str, Any]]:
    return metric


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[str], RunWriter]:
    return lambda run_id: RunWriter(tmp_path / "results.runs" / run_id)


@pytest.fixture
def merged(database: Path) -> Callable[..., None]:
    def merge_them(*runs: RunWriter) -> None:
        for run in runs:
            merge.merge_run(database, run.folder)

    return merge_them


@pytest.fixture
def ask(database: Path) -> Callable[..., list[tuple]]:
    """Rows of a query on the test's database."""

    def rows(sql: str) -> list[tuple]:
        with db.open_read(database) as con:
            return con.execute(sql).fetchall()

    return rows


_HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def hold(path: Path, how: str) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def held() -> Callable[..., Any]:
    """`with held(path, "writing"):` another process has the file open, for "writing" or "reading"."""
    return hold
