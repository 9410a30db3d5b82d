"""Loads a GGUF file through transformers, its weights dequantised; config and tokenizer are those beside it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig, PreTrainedTokenizerBase

from engine.errors import UserError
from engine.pruning.gguf_file.families import metadata
from engine.pruning.gguf_file.vocabulary import vocabulary

_NUMBERS_AS_WRITTEN = 1e-6  # float32's, relative


def load(path: Path, config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase, dtype: torch.dtype) -> Any:
    """The model and what transformers reports of its loading (`missing_keys`), as `from_pretrained` returns both.

    Raises:
        UserError: the gguf package is missing, or the file says something else than the config or the tokenizer.
    """
    refuse_unlike(path, config, tokenizer)
    dequantised = getattr(transformers, "GgufConfig", None)
    quantisation = {} if dequantised is None else {"quantization_config": dequantised(dequantize=True)}
    both: Any = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, config=_as_read(config), dtype=dtype, output_loading_info=True, **quantisation
    )
    model, report = both
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # nothing is quantised any more
    return model, report


def _as_read(config: PretrainedConfig) -> PretrainedConfig:
    """llama.cpp has one architecture for Llama and Mistral, and transformers reads it as Llama."""
    if config.model_type != "mistral":
        return config
    told = {name: value for name, value in config.to_dict().items() if name not in ("model_type", "architectures")}
    return LlamaConfig(**told)


def refuse_unlike(path: Path, config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> None:
    """transformers takes shapes and tokens from what lies beside the file: llama.cpp takes them from within.

    Raises:
        UserError: the gguf package is missing, or the two differ.
    """
    if find_spec("gguf") is None:
        raise UserError("Reading GGUF needs the gguf package: pip install 'prune-tui[gguf]'.")
    import gguf

    def refuse(difference: str) -> UserError:
        return UserError(
            f"{path.name} and the files beside it are not of one model: its {difference}; put it back beside the "
            "config.json and tokenizer.json that it was saved with."
        )

    try:
        fields = gguf.GGUFReader(path).fields
    except (ValueError, IndexError, KeyError) as error:
        raise UserError(f"{path} cannot be read as GGUF ({error}): the file is damaged or cut short.") from error
    for name, value in metadata(config).items():
        own = fields[name].contents() if name in fields else None
        same = abs(own - value) <= _NUMBERS_AS_WRITTEN * abs(value) if isinstance(own, float) and isinstance(
            value, float) else own == value  # fmt: skip
        if not same:
            raise refuse(f"{name} is {own!r:.60}, theirs {value!r:.60}")
    tokens = vocabulary(tokenizer, config.vocab_size)
    for name, value in (("tokens", tokens.tokens), ("merges", tokens.merges), ("pre", tokens.cut)):
        field = fields.get(f"tokenizer.ggml.{name}")
        own = [] if field is None else field.contents()
        if value and own != (value if isinstance(value, str) else list(value)):
            raise refuse(f"{'tokenizer' if name == 'pre' else f'list of {name}'} is another one")
