"""What a result file was measured on: an unpruned model, or one of its levels.

lm-eval's files know a path or a name on the hub. A checkpoint that `save` wrote says the rest, if it is still where
the file says; else the caller does; else it is taken for an unpruned model of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.checkpoints import FILE_NAME, CalibrationRecord, CheckpointRecord, read_record
from warehouse.errors import UserError
from warehouse.importers import published
from warehouse.records.level import Level, level_label
from warehouse.records.names import pruned_with, same_name
from warehouse.records.sizes import expansion_ratio
from warehouse.store import answers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FOLDERS_UP = 4  # from a result file to where lm-eval was called: --output_path, a folder for the model, and some more


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the caller says of every file; None where it does not."""

    model: str | None = None
    level: Level | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """`base` holds what is known of the unpruned model, under the names of `ModelFacts`.

    `intermediate_size` is the exact width, if the base's sizes are known. `note` is a sentence on what was taken for
    granted.
    """

    model: str
    level: str
    pruning_pct: float
    method: str | None = None
    intermediate_size: int | None = None
    base: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    repair: str = "none"
    calibration: CalibrationRecord | None = None

    @property
    def unpruned(self) -> bool:
        return self.intermediate_size == self.base.get("intermediate_size") if self.base else self.pruning_pct == 0

    @property
    def expansion_ratio(self) -> float | None:
        return expansion_ratio(self.intermediate_size, self.base.get("hidden_size"))

    def __str__(self) -> str:
        if self.unpruned:
            return f"{self.model}, unpruned"
        method = pruned_with(self.method or "a method that is not known", self.repair).upper()
        return f"{self.model} at {level_label(self.level)}, pruned with {method}"


class KnownModels:
    """Models whose sizes the database has, and those of the study."""

    def __init__(self, con: DuckDBPyConnection | None = None) -> None:
        self._models = [] if con is None else answers.ask(con, "import_models")

    def of_weights(self, weights_hash: str | None) -> str | None:
        """The name under which the database has these weights: a local model goes by its whole path there."""
        if weights_hash is None:
            return None
        return next((one["model"] for one in self._models if one["weights_hash"] == weights_hash), None)

    def has(self, model: str, weights_hash: str | None) -> bool:
        return any(one["model"] == model and one["weights_hash"] == weights_hash for one in self._models)

    def sizes(self, model: str) -> dict[str, Any]:
        """Empty where none are known, or several that differ."""
        shapes = {tuple(one[name] for name in _SIZES) for one in self._models if one["model"] == model}
        if not shapes and (full := published.sizes().get(model, {}).get(0.0)):
            return dict(full)
        return dict(zip(_SIZES, shapes.pop(), strict=True)) if len(shapes) == 1 else {}


_SIZES = ("model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a result file says of the model that it loaded from `pretrained`; `revision` is empty for a folder."""

    model: str | None
    pretrained: str | None
    parameters: int | None
    revision: str | None

    @property
    def may_be_a_folder(self) -> bool:
        """Names on the hub look like folders; lm-eval asks the hub for their revision, and has none for a folder."""
        name = self.pretrained
        if name is None or self.revision:
            return False
        return name.startswith((".", "/", "~")) or self.revision == "" or name.count("/") != 1


def subject_of(results: Path, measured: Measured, said: Said, models: KnownModels) -> Subject:
    """What the file `results` was measured on.

    Raises:
        UserError: it cannot be told, or what the caller says contradicts the checkpoint.
    """
    record = _record(results, measured.pretrained)
    if record is not None and measured.parameters not in (None, record.parameters, record.stored_parameters):
        if said.level is None:
            raise UserError(
                f"{results.name} was measured on {measured.parameters:,} parameters, and {measured.pretrained} has "
                f"{record.stored_parameters or record.parameters:,} now, by its {FILE_NAME}: say what it was with "
                "--model, --level and --method."
            )
        record = None
    if record is not None:
        return _of_record(results, record, said, models)
    model = said.model or measured.model
    if model is None:
        raise UserError(
            f"{results.name} does not say which model was measured, nothing imported: name it with --model."
        )
    level = said.level or Level.parse("0")
    subject = _of_level(model, level, said.method, models.sizes(model))
    if said.level is None and said.model is None and measured.may_be_a_folder:
        note = (
            f"{results.name} is taken for an unpruned model named {model}, since no {FILE_NAME} of a checkpoint that "
            "`prune-tui save` wrote was found there: if it was pruned, import it with --model, --level and --method."
        )
        return replace(subject, note=note)
    return subject


def _of_level(model: str, level: Level, method: str | None, sizes: dict[str, Any]) -> Subject:
    full, hidden = sizes.get("intermediate_size"), sizes.get("hidden_size")
    if full and hidden:
        width = level.intermediate_size(full, hidden)
        return Subject(model, str(level), level.pruning_pct(full, width), method, width, sizes)
    if level.kind != "pct":
        raise UserError(
            f"Level {level} needs the sizes of {model}, which the database does not have: give the percentage of "
            "neurons that were removed, or import or measure the unpruned model first."
        )
    return Subject(model, str(level), level.amount, method)


def _of_record(results: Path, record: CheckpointRecord, said: Said, models: KnownModels) -> Subject:
    base = record.base
    model = said.model or models.of_weights(base.weights_hash) or base.model
    if said.model and not same_name(said.model, base.model) and not models.has(said.model, base.weights_hash):
        raise _contradiction(results, record, f"a level of {base.model}", "--model")
    if said.method and said.method.lower() != record.method:
        raise _contradiction(results, record, f"pruned with {record.method.upper()}", "--method")
    if said.level is not None:
        width = said.level.intermediate_size(base.intermediate_size, base.hidden_size)
        if width != record.intermediate_size and str(said.level) != record.level:
            raise _contradiction(results, record, f"saved at level {record.level}", "--level")
    return Subject(
        model=model,
        level=record.level,
        pruning_pct=record.pruning_pct,
        method=record.method,
        intermediate_size=record.intermediate_size,
        base={name: value for name, value in asdict(base).items() if name != "model"},
        repair=record.repair,
        calibration=record.calibration,
    )


def _contradiction(results: Path, record: CheckpointRecord, what: str, option: str) -> UserError:
    return UserError(
        f"{results.name} is of a checkpoint that is {what}, by the {FILE_NAME} in its folder: leave {option} away."
    )


def _record(results: Path, pretrained: str | None) -> CheckpointRecord | None:
    """The record of the checkpoint at `pretrained`: a path from where lm-eval was called, which nobody wrote down."""
    if not pretrained or "\0" in pretrained:
        return None
    path = Path(pretrained).expanduser()
    here = results.absolute().parent
    folders = (path,) if path.is_absolute() else (*_up(here, path), Path.cwd() / path)
    records: dict[CheckpointRecord, Path] = {}
    for folder in folders:
        if (record := read_record(folder)) is not None:
            records.setdefault(record, folder)
    if len(records) > 1:
        raise UserError(
            f"{results.name} was measured on {pretrained}, and there are several: {_listed(records.values())}. "
            "Import it from the folder in which lm_eval was called, with only one of them in reach, or move it there."
        )
    return next(iter(records), None)


def _up(here: Path, path: Path) -> Iterable[Path]:
    return (folder / path for folder in (here, *here.parents[:_FOLDERS_UP]))


def _listed(folders: Iterable[Path]) -> str:
    return ", ".join(str(folder) for folder in folders)
