"""Regenerate the study's tables from the imported figures and list the cells that differ from the printed ones.

python benchmarks/published_deltas.py > docs/evidence/published-deltas.md
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from warehouse.exporters.export import export_deltas
from warehouse.exporters.markdown import table_lines
from warehouse.importers import import_published
from warehouse.numbers import format_change, format_value
from warehouse.read.deltas import DeltaTable, read_deltas

PRINTED = Path(__file__).resolve().parents[1] / "tests" / "warehouse" / "published_tables.csv"
MODELS = ("meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-3B")
# Names in the study's tables, by lm-eval task.
TASKS = {
    "MMLU": "mmlu", "GSM8K": "gsm8k", "ARC-C": "arc_challenge", "HellaSwag": "hellaswag", "BoolQ": "boolq",
    "PiQA": "piqa", "WikiText PPL": "wikitext", "Lambada PPL": "lambada_openai", "IFEval": "ifeval",
    "MUSR": "leaderboard_musr", "TruthfulQA-MC1": "truthfulqa_mc1", "TruthfulQA-MC2": "truthfulqa_mc2",
    "WinoGrande": "winogrande",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A printed cell whose change, or value, is not ours."""

    model: str
    pruning_pct: float
    benchmark: str
    printed: str
    ours: str
    kind: str


@dataclass(frozen=True, slots=True)
class Found:
    """A cell of ours."""

    value: float
    delta_pct: float | None
    kind: str


REASONS = {
    "metric": "another metric: the study's 3B table prints acc_norm for PIQA, its 1B table (and we) acc",
    "rounded": "rounding: the printed change follows from the figures as rounded in the table",
    "twice": "rounding: the printed change was rounded to two decimals first, then to one",
    "slip": "no rounding explains it: the printed change does not follow from the printed figures",
    "value": "the printed score is not the one in the study's result file",
}


def compare(database: Path) -> tuple[int, list[Difference]]:
    """How many delta cells the study prints, and those that differ from the imported figures' deltas."""
    printed = _printed()
    differences = []
    cells = 0
    for model in MODELS:
        (table,) = read_deltas(database, model=model).tables
        (by_acc_norm,) = read_deltas(database, model=model, metrics=["acc_norm"]).tables
        for (name, pct, benchmark), (value, change) in printed.items():
            if name != model or not change:
                continue
            cells += 1
            found = _find(table, pct, TASKS[benchmark])
            assert found is not None, f"no {benchmark} of {model} at {pct:g}%"
            if _same(float(value), found.value) and format_change(found.delta_pct) == f"{change}%":
                continue
            other = _find(by_acc_norm, pct, TASKS[benchmark])
            baseline = printed[model, 0.0, benchmark][0]
            differences.append(
                Difference(
                    model.rsplit("/", 1)[-1],
                    pct,
                    benchmark,
                    f"{value} ({change}%)",
                    f"{format_value(found.value, found.kind)} ({found.delta_pct:+.3f}%)",
                    _why(float(value), float(baseline), found, change, other.value if other else None),
                )
            )
    return cells, differences


def document(database: Path) -> str:
    cells, differences = compare(database)
    kinds = Counter(difference.kind for difference in differences)
    rows = [[d.model, f"{d.pruning_pct:g}%", d.benchmark, d.printed, d.ours, REASONS[d.kind]] for d in differences]
    header = ["Model", "Pruning", "Benchmark", "Printed", "Ours, to three decimals", "Why"]
    parts = [
        "# The study's tables, regenerated",
        f"Of the {cells} changes that the study prints for Llama-3.2-1B and 3B, {cells - len(differences)} come out of "
        f"`baseline_deltas` digit for digit after `prune-tui import published`, and {len(differences)} differ:",
        "\n".join(f"- {count}: {REASONS[kind]}" for kind, count in kinds.most_common()),
        "`python benchmarks/published_deltas.py > docs/evidence/published-deltas.md` writes this page; a test keeps it "
        "current.",
        "## Cells that differ",
        table_lines(header, rows, right=(1, 3, 4)),
        "## The tables",
        *(str(export_deltas(database, model=model)).strip() for model in MODELS),
    ]
    return "\n\n".join(parts) + "\n"


def _find(table: DeltaTable, pct: float, task: str) -> Found | None:
    for (benchmark, width), cell in table.grid.cells.items():
        if width.pruning_pct == pct and benchmark.task == task and cell.value is not None:
            return Found(cell.value, cell.delta_pct, benchmark.kind)
    return None


def _why(value: float, baseline: float, found: Found, printed: str, acc_norm: float | None) -> str:
    if not _same(value, found.value):
        return "metric" if acc_norm is not None and _same(value, acc_norm) else "value"
    if printed in (f"{100 * (value / baseline - 1):+.1f}", f"{100 * (found.value / baseline - 1):+.1f}"):
        return "rounded"
    half_up = Decimal(str(found.delta_pct))
    for step in ("0.01", "0.1"):
        half_up = half_up.quantize(Decimal(step), ROUND_HALF_UP)
    return "twice" if f"{half_up:+}" == printed else "slip"


def _same(printed: float, value: float) -> bool:
    """Whether a printed score is this value, rounded to the decimals that the study's tables have."""
    return abs(printed - value) <= (0.005 if value > 1 else 0.00005) + 1e-9


def _printed() -> dict[tuple[str, float, str], tuple[str, str]]:
    with PRINTED.open(encoding="utf-8") as file:
        return {
            (row["model"], float(row["pruning_pct"]), row["benchmark"]): (row["value"], row["change"])
            for row in csv.DictReader(file)
        }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "published.duckdb"
        import_published(database)
        sys.stdout.write(document(database))
