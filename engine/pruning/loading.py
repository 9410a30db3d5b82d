"""Loads a model and its tokenizer, and turns what goes wrong into one sentence."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled
from safetensors import SafetensorError
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.import_utils import is_accelerate_available

from engine.errors import UserError
from engine.planning.model_files import folder_of, is_gguf, read_config, refuse_unknown_type
from engine.planning.plan import DTYPES
from engine.pruning.accounting import ModelShape
from engine.pruning.gguf_file import reading
from engine.pruning.glu import find_glu_mlps, refuse_nan
from engine.pruning.sources import fetch_config, hub_error, is_local, is_reachable, resolve, weights_hash
from engine.pruning.spreading import answers_at_home

__all__ = [
    "Checkpoint", "inspect", "load_config", "load_model", "load_tokenizer", "resolve", "resolve_device",
    "resolve_dtype", "weights_hash",
]  # fmt: skip

_DAMAGED = (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, IndexError)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that can be pruned, judged from its config. `revision` is the hub commit, None for a folder."""

    source: str
    revision: str | None
    config: PretrainedConfig
    shape: ModelShape


def inspect(model: str, *, revision: str | None = None, trust_remote_code: bool = False) -> Checkpoint:
    """What `model` (a folder, a hub name or "demo") is, without its weights.

    Raises:
        UserError: it cannot be found or read, or its MLPs cannot be pruned.
    """
    source = resolve(model)
    config, commit = load_config(source, revision, trust_remote_code)
    try:
        shape = ModelShape.of(config, trust_remote_code=trust_remote_code)
    except UserError:
        raise
    except Exception as error:  # every model class has its own way of taking offence at a config
        raise UserError(
            f"{source}: no model can be built from config.json ({type(error).__name__}: {_one_line(error)[:200]}): get "
            "the file again, or mend that entry."
        ) from error
    return Checkpoint(source, commit, config, shape)


def load_config(
    source: str, revision: str | None = None, trust_remote_code: bool = False
) -> tuple[PretrainedConfig, str | None]:
    """The model's config and, for a hub model, the commit it is from.

    Raises:
        UserError: it cannot be found or read, or needs code of its own that was not allowed.
    """
    path, commit = fetch_config(source, revision)
    entries = read_config(source, path)
    refuse_unknown_type(source, entries, trust_remote_code, known=CONFIG_MAPPING.__contains__)
    try:
        config = AutoConfig.from_pretrained(_beside(source), revision=commit, trust_remote_code=trust_remote_code)
    except Exception as error:
        raise UserError(f"{source}: config.json cannot be used: {_one_line(error)}.") from error
    return config, commit


def resolve_device(device: str) -> torch.device:
    """ "auto" is the first CUDA GPU, else Apple's, else the CPU.

    Raises:
        UserError: there is no such device here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError:
        resolved = None
    if resolved is None or resolved.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"There is no device '{device}': choose auto, cpu, cuda, cuda:1 (the second GPU) or mps.")
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "CUDA was asked for, but torch sees no GPU: check the driver and that torch was built for CUDA "
            "(prune-tui doctor), or use --device cpu."
        )
    if resolved.type == "cuda" and (resolved.index or 0) >= (count := torch.cuda.device_count()):
        raise UserError(f"There is no GPU {resolved.index}: this machine has {count}, counted from cuda:0.")
    if resolved.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("Apple's GPU (mps) was asked for, but torch sees none: use --device cpu.")
    return resolved


def resolve_dtype(dtype: str, config: PretrainedConfig, device: torch.device) -> torch.dtype:
    """ "auto" is float32 on a CPU, elsewhere the checkpoint's own dtype (float32 if its config names none).

    Raises:
        UserError: there is no such dtype.
    """
    if dtype not in DTYPES:
        raise UserError(f"There is no dtype '{dtype}': choose one of {', '.join(DTYPES)}.")
    if dtype != "auto":
        return getattr(torch, dtype)
    return torch.float32 if device.type == "cpu" else own_dtype(config)


def own_dtype(config: PretrainedConfig) -> torch.dtype:
    """The dtype that a checkpoint's config names, float32 if it names none."""
    own = getattr(config.get_text_config(), "dtype", None) or config.dtype or torch.float32
    return getattr(torch, own) if isinstance(own, str) else own


def load_tokenizer(
    source: str, *, revision: str | None = None, trust_remote_code: bool = False
) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder or hub model.

    Raises:
        UserError: it is missing, broken or out of reach.
    """
    with _explained(source, revision, "tokenizer"):
        return AutoTokenizer.from_pretrained(_beside(source), **_where(source, revision, trust_remote_code))


def load_model(
    source: str,
    *,
    revision: str | None = None,
    dtype: torch.dtype | str,
    device: torch.device,
    trust_remote_code: bool = False,
    tokenizer: PreTrainedTokenizerBase | None = None,
    spread: Mapping[str, int] | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer, the model in evaluation mode on `device`, without gradients.

    One of several GPUs becomes the current one, to which streams, events and kernels of our own go.

    Args:
        source: a folder or hub name, as `resolve` gives it.
        revision: of a hub model; the commit that `inspect` reported keeps config and weights together.
        dtype: of the weights; "auto" keeps the checkpoint's own.
        tokenizer: the model's, if it is loaded already.
        spread: where its parts go, as `spreading.device_map` has it, if not all to `device`, which has the first.

    Raises:
        UserError: config, weights or tokenizer are missing, incomplete, broken or out of reach, the MLPs cannot
            be pruned, or the model does not fit in memory.
    """
    if tokenizer is None:
        tokenizer = load_tokenizer(source, revision=revision, trust_remote_code=trust_remote_code)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    # Loading straight to a GPU needs accelerate; without it the weights pass through main memory.
    direct = device.type != "cpu" and is_accelerate_available()
    with _explained(source, revision, "weights"):
        if is_gguf(source):
            if spread is not None:
                raise UserError(f"{source} is a GGUF file, which is loaded onto one GPU: leave --cards out.")
            config = AutoConfig.from_pretrained(_beside(source))
            model, report = reading.load(
                Path(source), config, tokenizer, own_dtype(config) if isinstance(dtype, str) else dtype
            )
        else:
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source,
                dtype=dtype,
                device_map=dict(spread) if spread is not None else {"": device} if direct else None,
                output_loading_info=True,
                **_where(source, revision, trust_remote_code),
            )
            model, report = loaded
        if spread is None:
            model.to(device)
        else:
            answers_at_home(model)
    # transformers would go on with random numbers for these.
    if missing := sorted(report["missing_keys"]):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(f"{source} is incomplete: its weights lack {missing[0]}{more}; get the checkpoint again.")
    model.eval().requires_grad_(False)
    find_glu_mlps(model)
    refuse_nan(model)
    return model, tokenizer


def _beside(source: str) -> str:
    """Where config and tokenizer are: a GGUF file's are in its folder."""
    return str(folder_of(source)) if is_gguf(source) else source


def _where(source: str, revision: str | None, trust_remote_code: bool) -> dict[str, Any]:
    """From where, for from_pretrained; a hub that does not answer is not asked again for each file."""
    here = not is_local(source) and not is_reachable(source, revision)
    return {"revision": revision, "trust_remote_code": trust_remote_code, "local_files_only": here}


@contextmanager
def _explained(source: str, revision: str | None, what: Literal["tokenizer", "weights"]) -> Iterator[None]:
    """Turns the exceptions of from_pretrained into a `UserError` about `what` it was loading."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError(
            f"{source} does not fit in the GPU's memory: free some, or choose a smaller --dtype or --device cpu."
        ) from error
    except UserError:
        raise
    except Exception as error:  # which one depends on the file format and on what transformers makes of it
        for cause in _chain(error):
            if isinstance(cause, HfHubHTTPError | OfflineModeIsEnabled | EntryNotFoundError) and not is_local(source):
                raise hub_error(cause, source, revision) from error
        if what == "tokenizer":
            raise UserError(
                f"{source} has no tokenizer that can be loaded: its tokenizer.json and tokenizer_config.json belong "
                "beside the weights (a tokenizer.model also needs sentencepiece installed)."
            ) from error
        if "ignore_mismatched_sizes" in str(error):
            raise UserError(
                f"The weights of {source} have other shapes than its config.json says: one of the two is from "
                "another model."
            ) from error
        if isinstance(error, _DAMAGED):
            raise UserError(
                f"The weights of {source} cannot be read ({_one_line(error)}): the file is damaged or cut short, "
                "get it again."
            ) from error
        raise UserError(f"The weights of {source} cannot be loaded: {_one_line(error)}.") from error


def _chain(error: BaseException | None) -> Iterator[Exception]:
    while isinstance(error, Exception):
        yield error
        error = error.__cause__ or error.__context__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
