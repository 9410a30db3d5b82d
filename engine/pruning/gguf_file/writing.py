"""Writes a model as one GGUF file with the gguf package: what llama.cpp knows of it, its tokens, and its weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from engine.errors import UserError
from engine.planning.plan import GGUF_TYPES
from engine.pruning.gguf_file.families import Family, family_of, head_dim, metadata, rope_factors
from engine.pruning.gguf_file.vocabulary import Vocabulary, vocabulary

BLOCK = 32
"""Weights that share a scale in q8_0: each row has a whole number of such blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the file says of itself for readers."""

    name: str
    licence: str | None = None
    base_model: str | None = None


def check(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase, kind: str) -> None:
    """Whether a model of this config, with MLPs of a width that `width_multiple` divides, can be written.

    Raises:
        UserError: the gguf package is missing, or the family, a shape or the tokenizer cannot be; says which.
    """
    if find_spec("gguf") is None:
        raise UserError("Writing GGUF needs the gguf package: pip install 'prune-tui[gguf]'.")
    family_of(config)
    vocabulary(tokenizer, config.vocab_size)
    attention = config.num_attention_heads * head_dim(config)
    for what, size in (("hidden_size", config.hidden_size), ("its heads together", attention)):
        if kind == "q8_0" and size % BLOCK:
            raise UserError(
                f"This model cannot be quantised as q8_0: {what}, {size}, is no multiple of {BLOCK}; use --gguf f16."
            )


def width_multiple(kind: str | None) -> int:
    """What the width of MLPs has to be a multiple of: its neurons are the rows' length in down_proj."""
    return BLOCK if kind == "q8_0" else 1


@torch.no_grad()
def write(path: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, kind: str, about: About) -> None:
    """Weight matrices as `kind` (f16 or q8_0), vectors as float32; one tensor is in memory beside the model at a time.

    Raises:
        UserError: as `check`; or a weight is too large for f16.
    """
    import gguf

    if kind not in GGUF_TYPES:
        raise ValueError(f"{kind} is none of {GGUF_TYPES}")
    check(model.config, tokenizer, kind)
    family = family_of(model.config)
    writer = gguf.GGUFWriter(path, family.architecture)
    writer.add_name(about.name)
    if about.licence is not None:
        writer.add_license(about.licence)
    if about.base_model is not None:
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, about.base_model)
    quantised = kind == "q8_0"
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantised else gguf.LlamaFileType.MOSTLY_F16)
    if quantised:
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    for name, value in metadata(model.config).items():
        add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)]
        add(name, value)
    _add_vocabulary(writer, vocabulary(tokenizer, model.config.vocab_size))
    matrix = gguf.GGMLQuantizationType.Q8_0 if quantised else gguf.GGMLQuantizationType.F16
    weights = [
        (name, tensor, matrix if tensor.dim() > 1 else gguf.GGMLQuantizationType.F32, change)
        for name, tensor, change in _tensors(model, family)
    ]
    for name, tensor, stored, _ in weights:
        block, size = gguf.GGML_QUANT_SIZES[stored]
        shape, bytes_ = tuple(tensor.shape), tensor.numel() // block * size
        writer.add_tensor_info(name, shape, np.dtype(np.float32), bytes_, raw_dtype=stored)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for name, tensor, stored, change in weights:
            values = change(tensor).float().cpu().contiguous().numpy()
            if stored == gguf.GGMLQuantizationType.F16 and np.abs(values).max(initial=0) > np.finfo(np.float16).max:
                raise UserError(f"{name} has weights too large for f16: use --gguf q8_0.")
            writer.write_tensor_data(gguf.quants.quantize(values, stored))
    finally:
        writer.close()


def _tensors(model: PreTrainedModel, family: Family) -> Iterator[tuple[str, Tensor, Callable[[Tensor], Tensor]]]:
    """Weights by llama.cpp's names, and how they are changed to lie as there."""
    import gguf

    config = model.config
    numbers = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(numbers[family.architecture], config.num_hidden_layers)
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight  # type: ignore[union-attr]
    if (factors := rope_factors(model)) is not None:
        yield "rope_freqs.weight", factors, _same
    for name, tensor in model.named_parameters(remove_duplicate=False):
        if tied and name.startswith("lm_head."):
            continue
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise UserError(f"This model cannot be written as GGUF: llama.cpp has no place for {name}.")
        change: Callable[[Tensor], Tensor] = _same
        if family.paired_rope and ".q_proj." in name:
            change = partial(paired, heads=config.num_attention_heads)
        elif family.paired_rope and ".k_proj." in name:
            change = partial(paired, heads=config.num_key_value_heads)
        elif family.shifted_norms and name.endswith("norm.weight"):
            change = _shifted
        yield known, tensor, change


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _shifted(tensor: Tensor) -> Tensor:
    return tensor.float() + 1


def paired(tensor: Tensor, heads: int) -> Tensor:
    """Rows of each head so that those which are rotated together, i and i + head_dim / 2, are neighbours."""
    rows = tensor.shape[0] // heads // 2
    return tensor.reshape(heads, 2, rows, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)


def _add_vocabulary(writer: Any, tokens: Vocabulary) -> None:
    writer.add_tokenizer_model(tokens.model)
    writer.add_tokenizer_pre(tokens.cut)
    writer.add_token_list(list(tokens.tokens))
    writer.add_token_types(list(tokens.kinds))
    if tokens.scores:
        writer.add_token_scores(list(tokens.scores))
    if tokens.merges:
        writer.add_token_merges(list(tokens.merges))
    for name, index in tokens.special.items():
        {
            "bos": writer.add_bos_token_id,
            "eos": writer.add_eos_token_id,
            "unknown": writer.add_unk_token_id,
            "padding": writer.add_pad_token_id,
        }[name](index)
    writer.add_add_bos_token(tokens.adds_bos)
    writer.add_add_eos_token(tokens.adds_eos)
    writer.add_add_space_prefix(tokens.space_prefix)
    if tokens.chat_template is not None:
        writer.add_chat_template(tokens.chat_template)


def stored_multiple(pad_to: int | None, kind: str | None) -> int:
    """The multiple that widths are padded to for both a person's wish and the file's format."""
    return math.lcm(pad_to or 1, width_multiple(kind))
