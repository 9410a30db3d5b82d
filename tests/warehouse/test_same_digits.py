"""The same question twice gives the same digits, whatever the number of threads: sums have an order."""

from __future__ import annotations

import math
import random
import re
import struct
from typing import Any

import pytest

from warehouse.store import db, statements, studies

LEVELS = {str(pct): 100 - pct for pct in range(0, 70, 10)}
TASKS = ("mmlu", "gsm8k", "ifeval", "leaderboard_musr", "truthfulqa_mc1", "truthfulqa_mc2", "hellaswag", "piqa",
         "winogrande", "boolq", "arc_challenge", "lambada_openai", "wikitext")  # fmt: skip
PERPLEXITIES = {"lambada_openai": "perplexity", "wikitext": "word_perplexity"}
THREADS = (1, 4, 2)


@pytest.fixture
def many(new_run, merged, metric):
    """Two models of one family, two numbers of shots: 2 x 2 x 7 x 13 scores of many digits."""
    rng = random.Random(1)
    for size in (1, 3):
        run = new_run(f"r{size}")
        run.start(model=f"org/Made-{size}B", weights=f"w{size}", scale=size, widths=LEVELS)
        for task in TASKS:
            name = PERPLEXITIES.get(task, "acc")
            for shots in (0, 5):
                for level in LEVELS:
                    value = math.exp(rng.uniform(2, 9)) if task in PERPLEXITIES else rng.uniform(0.2, 0.9)
                    stderr = value * rng.uniform(0.01, 0.05)
                    run.cell(level, task, metrics=[metric(name, value, stderr=stderr, n=None)], num_fewshot=shots)
        merged(run)


def bits(value: Any) -> Any:
    """A value in which no digit is rounded away."""
    if isinstance(value, float):
        return struct.pack("d", value)
    if isinstance(value, dict):
        return {name: bits(one) for name, one in value.items()}
    return [bits(one) for one in value] if isinstance(value, list | tuple) else value


@pytest.mark.slow
@pytest.mark.usefixtures("many")
def test_every_view_gives_the_same_digits_each_time(database):
    with db.open_read(database) as con:
        studies.make_for(con, " ".join(studies.names()))
        views = [name for (name,) in con.execute("select view_name from duckdb_views() where not internal").fetchall()]
        for view in sorted(views):
            found = []
            for threads in THREADS:
                con.execute(f"set threads = {threads}")
                found.append(sorted(repr(bits(row)) for row in con.execute(f"from {view}").fetchall()))
            assert all(one == found[0] for one in found), view
    assert {"pareto_front", "benchmark_trends", "claim_series", "delta_statistics", "best_levels"} <= set(views)


_SUM = re.compile(r"\b(avg|stddev_samp|var_samp|regr_\w+)\(")


def test_no_mean_and_no_line_is_taken_without_an_order():
    """What the engine adds up in whatever order it comes is seen on large files only, so the text is looked at, too."""
    for place in ("views", "studies", "queries"):
        for entry in (statements.SQL / place).rglob("*.sql"):
            text = re.sub(r"--.*", "", entry.read_text(encoding="utf-8"))
            for found in _SUM.finditer(text):
                end, depth = found.end(), 1
                while depth:
                    depth += {"(": 1, ")": -1}.get(text[end], 0)
                    end += 1
                inside = text[found.end() : end]
                windowed = text[end:].lstrip().startswith("over")
                assert "order by" in inside or windowed, f"{entry.name}: {found.group()}{inside}"
