"""What a saved checkpoint is: `save` writes it beside the weights, importing its scores finds it there again.

    {"format": "prune-tui checkpoint", "prune_tui": "1.0", "method": "maw", "level": "40", "intermediate_size": 4916,
     "pruning_pct": 40.0, "parameters": 913123328, "divisor": null, "seed": null, "stored_size": 5120,
     "repair": "none", "calibration": null,
     "base": {"model": "meta-llama/Llama-3.2-1B", "revision": "4e20de3", "weights_hash": "…", …}}

No path of the machine is in it: a base model that was a folder goes by the folder's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from warehouse.errors import UserError

FILE_NAME = "prune_tui.json"
_FORMAT = "prune-tui checkpoint"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """The unpruned model, by the name it was asked for and by hashes that hold under any name."""

    model: str
    revision: str | None
    weights_hash: str | None
    config_hash: str | None
    tokenizer_hash: str | None
    model_type: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    parameters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRecord:
    """The text that neurons were looked at on, as `CalibrationFacts` has it; of a file its name alone."""

    source: str
    tokens: int
    length: int
    seed: int | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRecord:
    """One saved level. `seed` drew the neurons of the random method, `divisor` rounded the width, if either did.

    `intermediate_size` and `parameters` are exact; `stored_size` is the width of the files' tensors, zero neurons
    included, and `stored_parameters` how many they have; None where there are none. Checkpoints from before there was
    repair say nothing of it, and have none.
    """

    base: BaseModel
    method: str
    level: str
    pruning_pct: float
    intermediate_size: int
    parameters: int
    divisor: int | None
    seed: int | None
    prune_tui: str
    repair: str = "none"
    calibration: CalibrationRecord | None = None
    stored_size: int | None = None
    stored_parameters: int | None = None

    def write(self, folder: Path) -> None:
        text = json.dumps({"format": _FORMAT} | asdict(self), indent=2, ensure_ascii=False)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def read_record(folder: Path) -> CheckpointRecord | None:
    """The record in a checkpoint's folder; None where there is none.

    Raises:
        UserError: there is one that cannot be read.
    """
    path = folder / FILE_NAME
    try:
        if not path.is_file():
            return None
        content = path.read_bytes()[:_MOST_BYTES]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): mend it, or move it away.") from error
    try:
        return _record(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path} is not as `prune-tui save` writes it ({type(error).__name__}: {error}): save the checkpoint again."
        ) from error


def _record(told: Mapping[str, Any]) -> CheckpointRecord:
    if told["format"] != _FORMAT:
        raise ValueError("it has another format")
    base = BaseModel(**_known(BaseModel, told["base"]))
    known = _known(CheckpointRecord, told)
    text = known.get("calibration")
    calibration = None if text is None else CalibrationRecord(**_known(CalibrationRecord, text))
    record = CheckpointRecord(**known | {"base": base, "calibration": calibration})
    sizes = (record.intermediate_size, base.hidden_size, base.intermediate_size, record.parameters, base.parameters)
    if not all(type(size) is int and 0 < size < 2**63 for size in sizes) or not 0 <= record.pruning_pct < 100:
        raise ValueError("a size is none")
    if not all(isinstance(name, str) and name for name in (base.model, record.method, record.level, record.repair)):
        raise ValueError("a name is none")
    if record.intermediate_size > base.intermediate_size:
        raise ValueError("it is wider than its base model")
    for stored, exact in (
        (record.stored_size, record.intermediate_size),
        (record.stored_parameters, record.parameters),
    ):
        if stored is not None and not (type(stored) is int and exact < stored < 2**63):
            raise ValueError("its stored width is none")
    return record


def _known(kind: type, told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass: what a newer program adds is left alone, what is missing and needed is a KeyError."""
    return {field.name: told[field.name] for field in fields(kind) if field.name in told or field.default is MISSING}
