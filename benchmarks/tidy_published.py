"""Derive the tidy data that ships in warehouse/data from a checkout of the study's result files.

    python benchmarks/tidy_published.py FOLDER

FOLDER holds the study's `llama_*_complete_results_latest.json` and `expansion_rates.json`, and `published_tables.md`,
its own printed tables; those go to tests/warehouse/published_tables.csv, for comparison.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from warehouse.importers import published, study
from warehouse.stats.metrics import higher_is_better

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "warehouse" / "data"


def main(folder: Path) -> None:
    files = [
        study.read_json(json.loads((folder / f"llama_{name}_complete_results_latest.json").read_text()))
        for name in ("1b", "3b", "1b_I", "1b_carbon", "3b_carbon")
    ]
    # Some name the model by the last part of its name on the hub.
    names = {name: name for name in _sizes(folder / "expansion_rates.json")}
    names |= {name.rsplit("/", 1)[-1]: name for name in names}
    _write(
        DATA / "published_evaluations.csv",
        ("model", "kind", "method", "device", "evaluated_at"),
        (
            (names[file.model], "scores" if file.scores else "measurements", file.method, file.device, _iso(file))
            for file in files
        ),
    )
    _write(
        DATA / "published_scores.csv",
        ("model", "pruning_pct", "task", "num_fewshot", "metric", "filter", "value", "stderr", "higher_is_better"),
        (
            (names[file.model], f"{pct:g}", s.task, s.num_fewshot, s.metric, s.filter, s.value, _blank(s.stderr),
             str(higher_is_better(s.metric)).lower())
            for file in files
            for pct, scores in sorted(file.scores.items())
            for s in scores
        ),
    )  # fmt: skip
    _write(
        DATA / "published_measurements.csv",
        ("model", "pruning_pct", *published.MEASURED),
        (
            (names[file.model], f"{pct:g}", *(_blank(getattr(m, name)) for name in published.MEASURED))
            for file in files
            for pct, measurements in sorted(file.measurements.items())
            for m in measurements
        ),
    )
    _printed(folder / "published_tables.md")


def _sizes(path: Path) -> list[str]:
    """Write the shapes of the 15 pruned models and of the three they were made from, whose names it returns."""
    rows: dict[tuple[str, int], tuple[object, ...]] = {}
    for model in json.loads(path.read_text())["models"]:
        name = model["base_model"]
        for pct, shape in ((0, model["original_architecture"]), (model["pruning_pct"], model["pruned_architecture"])):
            rows[name, pct] = (
                name, pct, shape["hidden_size"], shape["intermediate_size"], shape["num_hidden_layers"],
                shape["total_parameters"],
            )  # fmt: skip
    header = ("model", "pruning_pct", "hidden_size", "intermediate_size", "num_hidden_layers", "parameters")
    _write(DATA / "published_sizes.csv", header, (rows[key] for key in sorted(rows)))
    return sorted({name for name, _ in rows})


def _printed(path: Path) -> None:
    """The study's printed tables, a row per cell; `change` is empty for the unpruned model."""
    rows: list[tuple[str, ...]] = []
    model = ""
    header: list[str] = []
    for line in path.read_text().splitlines():
        if match := re.match(r"## Quick Summary (\S+)", line):
            model = f"meta-llama/{match[1]}"
        elif line.startswith("## "):
            model = ""
        if not model or not line.startswith("|"):
            continue
        cells = [cell.strip().replace("*", "") for cell in line.strip("|\n ").split("|")]
        if cells[0] == "Pruning %":
            header = cells[1:]
        elif pct := re.match(r"\d+", cells[0]):
            for benchmark, cell in zip(header, cells[1:], strict=True):
                value, _, change = cell.partition(" ")
                rows.append((model, pct[0], benchmark, value, change.strip("()%")))
    _write(
        ROOT / "tests" / "warehouse" / "published_tables.csv",
        ("model", "pruning_pct", "benchmark", "value", "change"),
        rows,
    )


def _iso(file: study.StudyFile) -> str:
    assert file.recorded_at is not None
    return datetime.fromtimestamp(file.recorded_at, UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _blank(value: object) -> object:
    return "" if value is None else value


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
