"""Models in this process: loaded, made narrower, saved. Only here, and in `PrunedLM` and `Ladder`, is torch needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.calibration.for_saving import text_for
from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.pruning import checkpoint, loading
from engine.pruning.accounting import ModelShape
from engine.worker.save import results_for
from warehouse.records.level import Level


def load_model(
    source: str | Path,
    *,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model that can be pruned, in evaluation mode and without gradients, and its tokenizer.

    Args:
        source: a name on the hub, a folder, or "demo", the model that ships with the program.
        device: cpu, cuda, cuda:1, mps, or "auto" for the best there is.
        dtype: float32, bfloat16, float16, or "auto": the checkpoint's own, float32 on a CPU.
        revision: a branch, tag or commit of a hub model.
        trust_remote_code: whether Python that comes with the model may run.

    Raises:
        UserError: it cannot be found, read, pruned, or held in memory; says which.
    """
    inspection = loading.inspect(str(source), revision=revision, trust_remote_code=trust_remote_code)
    where = loading.resolve_device(device)
    return loading.load_model(
        inspection.source,
        revision=inspection.revision,
        dtype=loading.resolve_dtype(dtype, inspection.config, where),
        device=where,
        trust_remote_code=trust_remote_code,
    )


def prune(
    model: PreTrainedModel,
    level: Level | str | float,
    *,
    method: str = "maw",
    divisor: int | None = None,
    seed: int = 0,
    repair: str = "none",
    calibration: str | None = None,
    calibration_tokens: int | None = None,
    calibration_length: int | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> int:
    """Cut every MLP of a loaded model in place, and return its new width in neurons (intermediate_size).

    Kept neurons stay in their original order. Of a model that was pruned before, the level is of what is left.

    Args:
        level: percent of the neurons to remove (40), an expansion ratio ("2.4x") or a width ("w4096").
        method: one of `METHODS`.
        divisor: rounds the width down to a multiple of it.
        seed: of the method "random", and of text that the model writes.
        repair: how what is removed is made up for: "none", or "lsq".
        calibration: where the method or the repair looks at what neurons do, the text: "self" (also None), which the
            model writes itself, a text file, or "task:NAME". `calibration_tokens` of it, `calibration_length` a
            sequence; None chooses.
        tokenizer: the model's, which such text needs.

    Raises:
        UserError: not a level, no width of this model, no such method or repair, MLPs that cannot be pruned, or a text
            that is unfit or that nothing looks at.
        ValueError: a text is needed, and no tokenizer given.
    """
    kept = ModelShape.of(model.config).width(_level(level), divisor)
    make = _text(method, repair, calibration, calibration_tokens, calibration_length, seed)
    text = None
    if make is not None:
        if tokenizer is None:
            raise ValueError(f"{method} with repair {repair} looks at text: give the model's tokenizer, too")
        text = make(model, tokenizer)
    checkpoint.prune(model, kept, method=method, seed=seed, repair=repair, calibration=text)
    return kept


def save(
    source: str | Path,
    level: Level | str | float,
    to: str | Path,
    *,
    method: str = "maw",
    divisor: int | None = None,
    seed: int = 0,
    dtype: str = "auto",
    revision: str | None = None,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    database: str | Path | None = None,
    repair: str = "none",
    calibration: str | None = None,
    calibration_tokens: int | None = None,
    calibration_length: int | None = None,
    like: str | Path | None = None,
    device: str = "auto",
    pad_to: int | None = None,
    gguf: str | None = None,
) -> checkpoint.SavedLevel:
    """Write one level of a model as a checkpoint that transformers loads: safetensors, config, tokenizer, model card.

    The folder `to` appears complete or not at all; `overwrite` replaces the checkpoint that it holds. `dtype` is of the
    saved weights ("auto" keeps the checkpoint's own); the delta table of `database` goes into the model card. The rest
    is as in `load_model` and `prune`. `like` is the folder of a run whose calibration text is taken, instead of another
    one; `device` is where neurons are looked at. `pad_to` fills the width up with zero neurons to a multiple of it, the
    same function; `gguf` ("f16" or "q8_0") writes a GGUF file beside the checkpoint. `bytes` of what is returned is the
    size of the weights.

    Raises:
        UserError: as `load_model` and `prune`; or the folder is in use, or cannot be written.
    """
    return checkpoint.save_level(
        str(source),
        level=_level(level),
        to=Path(to),
        method=method,
        divisor=divisor,
        seed=seed,
        dtype=dtype,
        revision=revision,
        trust_remote_code=trust_remote_code,
        card=None if database is None else results_for(Path(database), str(source), method, repair),
        overwrite=overwrite,
        repair=repair,
        calibrate=_text(method, repair, calibration, calibration_tokens, calibration_length, seed, like),
        device=device,
        pad_to=pad_to,
        gguf=gguf,
    )


def _text(
    method: str,
    repair: str,
    calibration: str | None,
    tokens: int | None,
    length: int | None,
    seed: int,
    like: str | Path | None = None,
) -> checkpoint.Calibrate | None:
    """What makes the text; None where nothing looks at one. Checked as a run's plan is."""
    told: dict[str, Any] = {"calibration": calibration, "calibration_tokens": tokens, "calibration_length": length}
    plan = RunPlan(name="", model="", levels=(), tasks=(), method=method, repair=repair, **told)
    if not plan.is_calibrated:
        if like is not None or any(value is not None for value in told.values()):
            raise UserError(
                f"{method} without repair looks at no calibration text: name none, or choose another method or a "
                "repair."
            )
        return None
    place = None if like is None else Path(like)
    return text_for(calibration, tokens=tokens, length=length, seed=seed, like=place)


def _level(level: Level | str | float) -> Level:
    return Level.parse(str(level))
