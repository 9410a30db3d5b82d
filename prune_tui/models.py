"""Models in this process: loaded, made narrower, saved. Only here, and in `PrunedLM` and `Ladder`, is torch needed."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.pruning import checkpoint, loading
from engine.pruning.accounting import ModelShape
from engine.worker.save import delta_table
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
) -> int:
    """Cut every MLP of a loaded model in place, and return its new width in neurons (intermediate_size).

    Kept neurons stay in their original order. Of a model that was pruned before, the level is of what is left.

    Args:
        level: percent of the neurons to remove (40), an expansion ratio ("2.4x") or a width ("w4096").
        method: one of `METHODS`.
        divisor: rounds the width down to a multiple of it.
        seed: of the method "random".

    Raises:
        UserError: not a level, no width of this model, no such method, or MLPs that cannot be pruned.
    """
    kept = ModelShape.of(model.config).width(_level(level), divisor)
    checkpoint.prune(model, kept, method=method, seed=seed)
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
) -> checkpoint.SavedLevel:
    """Write one level of a model as a checkpoint that transformers loads: safetensors, config, tokenizer, model card.

    The folder `to` appears complete or not at all; `overwrite` replaces the checkpoint that it holds. `dtype` is of the
    saved weights ("auto" keeps the checkpoint's own); the delta table of `database` goes into the model card. The rest
    is as in `load_model` and `prune`. `bytes` of what is returned is the size of the weights.

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
        card=None if database is None else delta_table(Path(database), str(source), method),
        overwrite=overwrite,
    )


def _level(level: Level | str | float) -> Level:
    return Level.parse(str(level))
