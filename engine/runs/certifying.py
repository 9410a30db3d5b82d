"""Which plan scores an exported file as a run scored its levels, and whether the file is one of that run's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import UserError
from engine.planning.model_files import folder_of, is_gguf
from engine.planning.plan import LLAMA_CPP, TRANSFORMERS, RunPlan
from engine.runs.rundir import RunDir
from warehouse.checkpoints import FILE_NAME, CalibrationRecord, CheckpointRecord, read_record
from warehouse.records.facts import CalibrationFacts
from warehouse.records.level import Level


@dataclass(frozen=True, slots=True)
class Certifying:
    """`level` is the run's that the file was saved at; `unpruned` the run's name for the whole model."""

    path: Path
    run: RunDir
    record: CheckpointRecord
    plan: RunPlan
    level: str
    unpruned: str


def exported(path: Path) -> CheckpointRecord:
    """What the checkpoint or GGUF file at `path` is.

    Raises:
        UserError: it is none that `save` wrote.
    """
    if not (path.is_dir() or is_gguf(path)):
        raise UserError(f"{path} is neither a checkpoint's folder nor a .gguf file: give what `prune-tui save` wrote.")
    record = read_record(folder_of(str(path)))
    if record is None:
        raise UserError(f"There is no {FILE_NAME} with {path}: only what `prune-tui save` wrote can be certified.")
    return record


def certifying(path: Path, record: CheckpointRecord, run: RunDir, *, engine: str = TRANSFORMERS) -> Certifying:
    """How the file at `path`, which the record is of, is scored like `run`, by one of `plan.ENGINES`.

    Raises:
        UserError: it is none that the engine reads, or not of a width, method or model that the run measured; or the
            run scored an exported file itself.
    """
    plan = run.plan
    if plan.certifies is not None:
        raise UserError(
            f"Run {run.run_id} scored an exported file like run {plan.certifies}: certify like that one, or another."
        )
    history, _ = run.history()
    base = history.model
    if base is None:
        raise UserError(f"Run {run.run_id} has not begun: certify like a run that has measured the model.")
    for what, files, runs in (
        ("method", record.method, plan.method),
        ("repair", record.repair, plan.repair),
        ("unpruned model, by its weights", record.base.weights_hash, base.weights_hash),
        ("calibration text", _text_of(record.calibration), _text_of(history.calibration)),
    ):
        if files != runs and None not in (files, runs):
            raise UserError(
                f"{path.name} is not of run {run.run_id}, which has another {what} ({files} there, {runs} in the run): "
                "name the run that it was saved like."
            )
    widths = {variant.intermediate_size: level for level, variant in history.variants.items()}
    if record.intermediate_size not in widths:
        raise UserError(
            f"Run {run.run_id} has not measured the {record.intermediate_size} neurons of {path.name} (level "
            f"{record.level}): certify like a run with that level."
        )
    if base.intermediate_size not in widths:
        raise UserError(
            f"Run {run.run_id} has not measured the unpruned model, so what pruning cost is not known: certify like a "
            "run with level 0."
        )
    dtype = history.plan.dtype if history.plan and history.plan.dtype else plan.dtype
    own = replace(
        plan,
        name=f"certify {path.name}" + ("" if engine == TRANSFORMERS else f" by {engine}"),
        engine=engine,
        device="auto" if engine == LLAMA_CPP else plan.device,
        cards=1 if is_gguf(path) else plan.cards,
        model=str(path.resolve()),
        revision=None,
        levels=(Level.parse("0"),),
        method="maw",
        repair="none",
        divisor=None,
        dtype=dtype,
        calibration=None,
        calibration_tokens=None,
        calibration_length=None,
        damage=False,
        profile=None,
        sweep=None,
        sweep_name=None,
        certifies=run.run_id,
    )
    return Certifying(path, run, record, own, widths[record.intermediate_size], widths[base.intermediate_size])


def _text_of(text: CalibrationRecord | CalibrationFacts | None) -> str | None:
    return None if text is None else text.hash
