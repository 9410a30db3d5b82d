"""What a model card says of a saved width: its headline scores, and the data set that each is of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.read.runs import find_models
from warehouse.store import answers, db


@dataclass(frozen=True, slots=True, kw_only=True)
class CardScore:
    """`dataset` is as lm-eval loads it, path/name; None where it is of files, or not known."""

    benchmark: str
    task: str
    metric: str
    filter: str
    num_fewshot: int | None
    value: float | None
    stderr: float | None
    n: int | None
    conditions: str | None
    recorded_at: datetime | None
    dataset: str | None

    @property
    def on_hub(self) -> tuple[str, str] | None:
        return hub_dataset(self.dataset)


def hub_dataset(dataset: str | None) -> tuple[str, str] | None:
    """A data set's id on the hub and its configuration; None where it cannot be told.

    Of two parts nothing says whether they are owner and name, or an old name and a configuration.
    """
    parts = (dataset or "").split("/")
    return (f"{parts[0]}/{parts[1]}", parts[2]) if len(parts) == 3 and all(parts) else None


def card_scores(
    path: Path, *, model: str, method: str, repair: str, intermediate_size: int, wait: float = 2.0
) -> list[CardScore]:
    """Raises:
    UserError: no such model; or as `db.open_read`.
    """
    with db.open_read(path, wait=wait) as con:
        ids = [one.model_id for one in find_models(con, model)]
        asked = {"model_ids": ids, "method": method, "repair": repair, "intermediate_size": intermediate_size}
        return answers.read(con, "card_scores", CardScore, asked)
