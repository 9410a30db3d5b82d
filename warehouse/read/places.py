"""Where in its file an imported number stood."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A file and a place in it; `line` (from 1), `text` and `value` where the file ships with prune-tui."""

    file: str
    place: str
    line: int | None = None
    text: str | None = None
    value: float | None = None


def place_of(origin: str, source: str | None, *, model: str, level: str, task: str, shots: int | None,
             metric: str, filter: str) -> Place | None:  # noqa: A002  # fmt: skip
    """The place of one number, or None where the origin is a run of ours, whose journal has it."""
    key = f"{metric},{filter}"
    match origin:
        case "published":
            wanted = {"model": model, "pruning_pct": level, "task": task, "metric": metric, "filter": filter}
            return _published(wanted | {"num_fewshot": str(shots)})
        case "lm-eval":
            return Place(source or "a result file", f"results → {task} → {key!r}")
        case "study":
            return Place(source or "a result file", f"the model pruned by {level} %, {task}, {key!r}")
        case _:
            return None


def _published(wanted: dict[str, Any]) -> Place:
    name = "published_scores.csv"
    lines = files("warehouse").joinpath("data", name).read_text(encoding="utf-8").splitlines()
    reader = csv.DictReader(io.StringIO("\n".join(lines)))
    for row in reader:
        if all(row[column] == value for column, value in wanted.items()):
            number = reader.line_num
            return Place(f"warehouse/data/{name}", f"line {number}", number, lines[number - 1], float(row["value"]))
    return Place(f"warehouse/data/{name}", "a line that this version of prune-tui does not ship")
