"""Saves one level of a model as a checkpoint of its exact width, for transformers to load."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.errors import UserError
from engine.planning.calibration import CalibrationSource
from engine.planning.methods import find_method
from engine.planning.model_files import local_folder
from engine.planning.plan import GGUF_TYPES
from engine.pruning.base_card import base_card
from engine.pruning.calibration import Calibration
from engine.pruning.card_results import CardResults
from engine.pruning.gguf_file import writing as gguf_file
from engine.pruning.gguf_file.writing import stored_multiple
from engine.pruning.glu import GluMlp, find_glu_mlps
from engine.pruning.identity import config_hash, tokenizer_hash
from engine.pruning.loading import (
    Checkpoint,
    inspect,
    load_model,
    load_tokenizer,
    own_dtype,
    resolve_device,
    resolve_dtype,
    weights_hash,
)
from engine.pruning.model_card import model_card
from engine.pruning.ordering import OrderedMlp, ordered
from engine.pruning.padding import add_zero_neurons, padded_width
from engine.pruning.sources import is_local
from warehouse import filenames
from warehouse.checkpoints import BaseModel, CalibrationRecord, CheckpointRecord
from warehouse.records.level import Level
from warehouse.redaction import redact_file

Calibrate = Callable[[PreTrainedModel, PreTrainedTokenizerBase], Calibration]


@dataclass(frozen=True, slots=True)
class SavedLevel:
    """`intermediate_size` is exact, `stored_size` with zero neurons; `parameters` and `bytes` are those of the weights
    without and with them. `gguf` is the GGUF file, where one was asked for.
    """

    path: Path
    intermediate_size: int
    parameters: int
    bytes: int
    stored_size: int
    gguf: Path | None = None


def save_level(
    source: str,
    *,
    level: Level,
    method: str,
    to: Path,
    divisor: int | None = None,
    seed: int = 0,
    dtype: str = "auto",
    revision: str | None = None,
    trust_remote_code: bool = False,
    card: Callable[[int], CardResults | None] | None = None,
    overwrite: bool = False,
    repair: str = "none",
    calibrate: Calibrate | None = None,
    device: str = "auto",
    pad_to: int | None = None,
    gguf: str | None = None,
) -> SavedLevel:
    """Writes `source` at `level` into the folder `to`: weights, config, tokenizer, a model card, and for `import` what
    the checkpoint is.

    Kept neurons stay in their original order. The folder appears complete or not at all.

    Args:
        source: a folder, a hub name or "demo".
        level: how far to prune; `divisor` rounds its width down.
        dtype: of the saved weights; "auto" keeps the checkpoint's own.
        card: gives the results of a width, in neurons, for the model card.
        overwrite: replace the checkpoint that the folder holds.
        repair: how what is removed is made up for.
        calibrate: the text on which the loaded, unpruned model is looked at, where the method or the repair asks.
        device: where it is looked at; weights alone are pruned on the CPU.
        pad_to: the stored width is a multiple of it, filled up with zero neurons: the function stays the same.
        gguf: "f16" or "q8_0": a GGUF file is written beside the checkpoint. q8_0 pads to a multiple of 32 by itself.

    Raises:
        UserError: the model cannot be loaded or pruned, the level means no width of it, the text is unfit, or the
            folder is in use or cannot be written.
    """
    checkpoint = inspect(source, revision=revision, trust_remote_code=trust_remote_code)
    kept = checkpoint.shape.width(level, divisor)
    if pad_to is not None and pad_to < 1:
        raise UserError(f"A width cannot be padded to a multiple of {pad_to}: give a whole number above zero.")
    if gguf not in (None, *GGUF_TYPES):
        raise UserError(f"There is no GGUF type '{gguf}' here: choose one of {', '.join(GGUF_TYPES)}.")
    stored = padded_width(kept, stored_multiple(pad_to, gguf))
    _refuse_target(to, checkpoint.source, overwrite)
    with _folder_at_once(to) as partial:
        is_calibrated = repair != "none" or find_method(method).declared.needs_activations
        place = resolve_device(device) if is_calibrated else torch.device("cpu")
        saved_dtype = "auto" if dtype == "auto" else resolve_dtype(dtype, checkpoint.config, torch.device("cpu"))
        # Looked at in the dtype that a run on this device would have: the saved one is rounded to afterwards.
        looked_at = resolve_dtype("auto", checkpoint.config, place) if is_calibrated else saved_dtype
        if gguf is not None:
            tokenizer = load_tokenizer(
                checkpoint.source, revision=checkpoint.revision, trust_remote_code=trust_remote_code
            )
            gguf_file.check(checkpoint.config, tokenizer, gguf)
        model, tokenizer = load_model(
            checkpoint.source,
            revision=checkpoint.revision,
            dtype=looked_at,
            device=place,
            trust_remote_code=trust_remote_code,
        )
        text = calibrate(model, tokenizer) if calibrate is not None and is_calibrated else None
        prune(model, kept, method=method, seed=seed, repair=repair, calibration=text)
        if is_calibrated:
            pruned: Any = model  # transformers' decorators hide what `to` takes
            pruned.to(dtype=own_dtype(checkpoint.config) if isinstance(saved_dtype, str) else saved_dtype)
        size = checkpoint.shape.bytes_at(stored, model.dtype.itemsize)
        if stored > kept:
            add_zero_neurons(model, stored)
            model.config.get_text_config().exact_intermediate_size = kept
        if (free := shutil.disk_usage(partial).free) < size:
            raise UserError(
                f"There is no room for {to}: the weights take {size / 1e9:.2f} GB and {free / 1e9:.2f} GB are free; "
                "make room or choose another folder."
            )
        model.save_pretrained(partial)
        for config in partial.glob("*config.json"):  # the model's and its generation's, as their author wrote them
            redact_file(config)
        for weights in partial.glob("*.safetensors"):
            weights.chmod(_readable_by_others())  # safetensors writes them for their owner alone
        tokenizer.save_pretrained(partial)
        base_model = Path(source).resolve().name if local_folder(source) is not None else source
        record = CheckpointRecord(
            base=_base(checkpoint, base_model, tokenizer),
            method=method,
            level=str(level),
            pruning_pct=level.pruning_pct(checkpoint.shape.intermediate_size, kept),
            intermediate_size=kept,
            parameters=checkpoint.shape.parameters_at(kept),
            divisor=divisor,
            seed=seed if find_method(method).declared.uses_seed else None,
            prune_tui=version("prune-tui"),
            repair=repair,
            stored_size=stored if stored > kept else None,
            stored_parameters=checkpoint.shape.parameters_at(stored) if stored > kept else None,
            calibration=None
            if text is None
            else CalibrationRecord(
                source=_without_folder(text.source),
                tokens=text.count,
                length=text.length,
                seed=text.seed,
                hash=text.hash,
            ),
        )
        record.write(partial)
        file = None if gguf is None else f"{to.resolve().name}-{gguf}.gguf"
        results = None if card is None else card(kept)
        of_base = base_card(checkpoint.source, checkpoint.revision)
        for licence in of_base.files:
            shutil.copyfile(licence, partial / licence.name)
        if results is not None:
            results.write_entries(partial)
        readme = model_card(
            base_model=base_model,
            on_hub=not is_local(checkpoint.source),
            revision=checkpoint.revision,
            shape=checkpoint.shape,
            level=level,
            intermediate_size=kept,
            stored_size=stored,
            method=method,
            seed=seed,
            dtype=model.dtype,
            folder_name=to.resolve().name,
            results=results,
            base_card=of_base,
            gguf=file,
            repair=repair,
            calibration=text,
        )
        (partial / "README.md").write_text(readme, encoding="utf-8")
        if gguf is not None and file is not None:
            name = f"{Path(base_model).name} at {kept} neurons"
            about = gguf_file.About(name=name, base_model=base_model, licence=of_base.licence)
            gguf_file.write(partial / file, model, tokenizer, gguf, about)
    parameters = checkpoint.shape.parameters_at(kept)
    return SavedLevel(to, kept, parameters, size, stored, None if file is None else to / file)


def _without_folder(source: str) -> str:
    """A calibration's source with no path of this machine in it."""
    named = CalibrationSource.parse(source)
    return source if named.file is None else named.file.name


def _base(checkpoint: Checkpoint, name: str, tokenizer: PreTrainedTokenizerBase) -> BaseModel:
    shape = checkpoint.shape
    return BaseModel(
        model=name,
        revision=checkpoint.revision,
        weights_hash=weights_hash(checkpoint.source, checkpoint.revision),
        config_hash=config_hash(checkpoint.source, checkpoint.revision),
        tokenizer_hash=tokenizer_hash(tokenizer),
        model_type=shape.model_type,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_hidden_layers,
        parameters=shape.parameters,
    )


@torch.no_grad()
def prune(
    model: PreTrainedModel,
    intermediate_size: int,
    *,
    method: str,
    seed: int,
    repair: str = "none",
    calibration: Calibration | None = None,
) -> None:
    """Cuts every MLP of `model` to exactly `intermediate_size` neurons, in their original order, and says so
    in its config.

    Raises:
        UserError: the model's MLPs cannot be pruned, there is no such method, or nothing can be told from the text.
        ValueError: there is no text for a method or a repair that needs it.
    """
    mlps = find_glu_mlps(model)
    settled = ordered(model, mlps, method=method, seed=seed, repair=repair, calibration=calibration, check=lambda: None)
    # All of them before the first is cut: until then the text may have to go through the unpruned model once more.
    for mlp, kept, made_up in [_settle(one, intermediate_size, model.dtype) for one in settled]:
        _narrow(mlp, kept)
        if made_up is not None:
            mlp.down.weight.data.copy_(made_up[0])
            if made_up[1] is not None:
                mlp.down.bias.data.copy_(made_up[1])
    model.config.get_text_config().intermediate_size = intermediate_size


def _settle(
    one: OrderedMlp, count: int, dtype: torch.dtype
) -> tuple[GluMlp, Tensor, tuple[Tensor, Tensor | None] | None]:
    """The MLP, the neurons that it keeps in their original order, and down's columns and bias beside them."""
    kept, places = one.order[:count].sort()
    if one.repair is None or count == len(one.order):
        return one.mlp, kept, None
    weight = one.repair.weight(count)
    bias = one.repair.bias_beside(weight)
    return one.mlp, kept, (weight[:, places].to(dtype), None if bias is None else bias.to(dtype))


def _narrow(mlp: GluMlp, kept: Tensor) -> None:
    rows = torch.cat((kept, kept + mlp.intermediate_size)) if mlp.fused else kept
    for name, linear in mlp.linears.items():
        if name == "down_proj":
            linear.weight = _selected(linear.weight, 1, kept)
            linear.in_features = len(kept)
        else:
            linear.weight = _selected(linear.weight, 0, rows)
            linear.out_features = len(rows)
            if linear.bias is not None:
                linear.bias = _selected(linear.bias, 0, rows)


def _selected(tensor: Tensor, dim: int, indices: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor.index_select(dim, indices), requires_grad=False)


def _refuse_target(to: Path, source: str, overwrite: bool) -> None:
    if to.exists() and not to.is_dir():
        raise UserError(f"{to} is a file: give a folder to save into.")
    if not to.exists():
        return
    if is_local(source) and Path(source).resolve().is_relative_to(to.resolve()):
        raise UserError(f"{to} holds the model that is to be pruned: choose another folder to save into.")
    held = [path.name for path in to.iterdir()]
    if held and not overwrite:
        raise UserError(f"{to} is not empty: choose another folder, or add --overwrite to replace what it holds.")
    # All of the folder goes, so it must be what it is taken for: "--to ." would cost a home folder otherwise.
    if held and "config.json" not in held:
        raise UserError(f"{to} holds other things than a checkpoint, which stay: choose another folder.")


@contextmanager
def _folder_at_once(to: Path) -> Iterator[Path]:
    """A folder beside `to` that takes its place if all goes well, and vanishes if not."""
    partial = filenames.beside(to, f"partial-{os.getpid()}")
    replaced = filenames.beside(to, f"replaced-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        yield partial
        if to.exists():
            to.rename(replaced)
        try:
            partial.rename(to)
        except OSError:
            if replaced.exists():
                replaced.rename(to)
            raise
        shutil.rmtree(replaced, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{to} cannot be written: {_reason(error)}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _readable_by_others() -> int:
    """The mode that an ordinary new file gets."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError | SafetensorError) -> str:
    if "No space left" in str(error) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; make room or choose another folder"
    if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
        return "this user may not write there; choose another folder"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}; choose another folder"
    return " ".join(str(error).split()).rstrip(".")
