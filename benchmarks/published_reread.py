"""Read the published study again, with intervals: which of its improvements are beyond noise?

python benchmarks/published_reread.py > docs/evidence/published-reread.md
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from warehouse.exporters.markdown import table_lines
from warehouse.importers import import_published
from warehouse.numbers import format_value
from warehouse.store import db

QUERY = Path(__file__).with_suffix(".sql")


@dataclass(frozen=True, slots=True)
class Change:
    """One printed change, its error and where that comes from: "published", "binomial" or None.

    The interval is in percent of the baseline; `p_holm` is corrected over the benchmarks of its level, `p_table` over
    those of all levels.
    """

    model: str
    pruning_pct: float
    task: str
    benchmark: str
    kind: str
    value: float
    baseline: float
    improved: bool
    stderr: float | None
    source: str | None
    p_value: float | None
    p_holm: float | None
    low_pct: float | None
    high_pct: float | None
    p_table: float | None

    @property
    def delta(self) -> float:
        return self.value - self.baseline

    @property
    def verdict(self) -> str:
        if self.p_holm is None:
            return "no error can be given"
        if self.p_holm > 0.05:
            return "within noise"
        return "beyond noise"


def changes(database: Path) -> list[Change]:
    """Every headline change of the 1B and the 3B model, as the view `delta_statistics` has it."""
    with db.open_read(database) as con:
        rows = con.execute(QUERY.read_text(encoding="utf-8")).fetchall()
    return sorted((Change(*row) for row in rows), key=lambda one: (one.model, one.pruning_pct))


def document(database: Path) -> str:
    everything = changes(database)
    improved = [one for one in everything if one.improved]
    clear = [one for one in improved if one.verdict == "beyond noise"]
    everywhere = [one for one in clear if one.p_table is not None and one.p_table <= 0.05]
    alone = [one for one in improved if one.p_value is not None and one.p_value <= 0.05]
    worse = [one for one in everything if not one.improved and one.kind == "score"]
    worse_clear = [one for one in worse if one.verdict == "beyond noise"]
    perplexities = sum(one.kind == "perplexity" for one in everything)
    binomial = ", ".join(dict.fromkeys(one.benchmark for one in everything if one.source == "binomial"))
    published = ", ".join(dict.fromkeys(one.benchmark for one in everything if one.source == "published"))
    parts = [
        "# The study's improvements, with intervals",
        f"The study prints {len(improved)} improvements in bold for Llama-3.2-1B and 3B. Of these, "
        f"**{len(clear)} are beyond noise** after Holm's correction over the benchmarks of one level, "
        f"and {len(everywhere)} after that over all benchmarks and levels of a model, which is what a claim "
        f"about several levels needs; {len(alone)} have p ≤ 0.05 before any correction. "
        f"Of its {len(worse)} losses of a score, {len(worse_clear)} are beyond noise.",
        "`python benchmarks/published_reread.py > docs/evidence/published-reread.md` writes this page; a test keeps it "
        "current.",
        "## By benchmark",
        _by_benchmark(improved),
        "## Every improvement",
        _table(improved),
        "## How",
        "\n".join(
            [
                f"- {published}: the standard errors are the study's own.",
                f"- {binomial}: the study publishes none; they are binomial, √(p(1 − p) / n), from the published score "
                "and the number of questions of the split that lm-eval scores; for tests and intervals one right and "
                "one wrong answer are added to each score. For TruthfulQA-MC2, whose questions "
                "score between 0 and 1, and for MMLU, whose subjects differ, that is an upper bound (sampling the "
                "subjects themselves aside).",
                f"- WikiText, LAMBADA ({perplexities} changes, none an improvement): no error can be given; a "
                "perplexity's depends on its documents, which are not published.",
                "- The error of a change is √(a² + b²), the two levels taken as independent, for the answers to single "
                "questions are not published. Both answered the same questions, so the true error is likely smaller: "
                "some changes within noise here might be clear in paired data. None is shown to be zero.",
                "- p is two-sided, from a z test; intervals are 95 %, not corrected, and in percent "
                "of the unpruned score as printed, whose own error is in them. One run of each level: what "
                "another seed, prompt or harness would change is in none of these errors.",
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _by_benchmark(improved: list[Change]) -> str:
    told = Counter((one.model, one.benchmark, one.verdict) for one in improved)
    names = dict.fromkeys((one.model, one.benchmark) for one in improved)
    rows = [
        [_short(model), name, str(sum(told[model, name, v] for v in ("beyond noise", "within noise"))),
         str(told[model, name, "beyond noise"]), _levels(improved, model, name)]
        for model, name in names
    ]  # fmt: skip
    return table_lines(["Model", "Benchmark", "Bold", "Beyond noise", "At"], rows, right=(2, 3))


def _levels(improved: list[Change], model: str, name: str) -> str:
    clear = [one for one in improved if one.model == model and one.benchmark == name and one.verdict == "beyond noise"]
    return ", ".join(f"{one.pruning_pct:g}%" for one in clear) or "–"


def _table(rows: list[Change]) -> str:
    cells = []
    for one in rows:
        assert one.stderr is not None, f"{one.benchmark} improved, and its error is not known"
        assert one.p_holm is not None
        assert one.low_pct is not None
        assert one.high_pct is not None
        cells.append(
            [
                _short(one.model), f"{one.pruning_pct:g}%", one.benchmark, format_value(one.baseline, one.kind),
                format_value(one.value, one.kind), f"{100 * one.delta / one.baseline:+.1f}%",
                f"{one.low_pct:+.1f}% to {one.high_pct:+.1f}%",
                f"{one.p_holm:.3f}" if one.p_holm >= 0.001 else "< 0.001",
                f"**{one.verdict}**" if one.verdict == "beyond noise" else one.verdict, str(one.source),
            ]
        )  # fmt: skip
    header = [
        "Model", "Pruning", "Benchmark", "Full", "Pruned", "Change", "95 % interval", "p (Holm)", "Verdict", "Error",
    ]  # fmt: skip
    return table_lines(header, cells, right=(1, 3, 4, 5, 6, 7))


def _short(model: str) -> str:
    return model.rsplit("/", 1)[-1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "published.duckdb"
        import_published(database)
        sys.stdout.write(document(database))
