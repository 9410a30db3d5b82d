"""What llama.cpp has to know of a model: its architecture and numbers, by llama.cpp's names, and how weights lie there.

An architecture of llama.cpp fixes what a config of transformers leaves open (which layers look at a window, how
attention is scaled). A model that has it otherwise would load and compute something else: it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel

from engine.errors import UserError

Value = int | float | str
_GELU = "gelu_pytorch_tanh"
_LOCAL_ROPE_THETA = 10_000.0


@dataclass(frozen=True, slots=True)
class Family:
    """`architecture` is llama.cpp's. It has rows of q and k in pairs (`paired_rope`), norms with one added to their
    weights (`shifted_norms`), and a window in every layer but each `full_attention_every`th. A model of `large` layers
    scales attention by hidden_size / heads, others by head_dim.
    """

    architecture: str
    activation: str = "silu"
    paired_rope: bool = False
    shifted_norms: bool = False
    full_attention_every: int = 1
    large: int | None = None
    more: Callable[[PretrainedConfig], Mapping[str, Value]] = field(default=lambda config: {})


def _gemma2(config: PretrainedConfig) -> Mapping[str, Value]:
    return {
        "attn_logit_softcapping": float(config.attn_logit_softcapping),
        "final_logit_softcapping": float(config.final_logit_softcapping),
        "attention.sliding_window": int(config.sliding_window),
    }


def _gemma3(config: PretrainedConfig) -> Mapping[str, Value]:
    return {"attention.sliding_window": int(config.sliding_window)}


_LLAMA = Family("llama", paired_rope=True)
_FAMILIES = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": Family("qwen2"),
    "qwen3": Family("qwen3"),
    "gemma2": Family("gemma2", _GELU, shifted_norms=True, full_attention_every=2, large=46, more=_gemma2),
    "gemma3_text": Family("gemma3", _GELU, shifted_norms=True, full_attention_every=6, large=62, more=_gemma3),
}


def family_of(config: PretrainedConfig) -> Family:
    """Raises:
    UserError: models of this config cannot be written as GGUF; says what of it.
    """
    if (family := _FAMILIES.get(config.model_type)) is None:
        raise UserError(
            f"Model type '{config.model_type}' is not written as GGUF here, only Llama, Mistral, Qwen 2 and 3, Gemma 2 "
            "and 3 (text) are: leave --gguf out, and convert the saved checkpoint with llama.cpp's own script."
        )
    _refuse_other_functions(config, family)
    return family


def metadata(config: PretrainedConfig) -> dict[str, Value]:
    """What llama.cpp reads beside tensors and tokens, by its names, those with the architecture's included.

    Raises:
        UserError: as `family_of`.
    """
    family = family_of(config)
    heads = config.num_attention_heads
    values: dict[str, Value] = {
        "context_length": _context(config),
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": heads,
        "attention.head_count_kv": getattr(config, "num_key_value_heads", None) or heads,
        "attention.key_length": head_dim(config),
        "attention.value_length": head_dim(config),
        "attention.layer_norm_rms_epsilon": float(config.rms_norm_eps),
        "vocab_size": config.vocab_size,
        "rope.dimension_count": head_dim(config),
        "rope.freq_base": float(_rope(config)["rope_theta"]),
        **_scaling(_rope(config)),
        **family.more(config),
    }
    return {f"{family.architecture}.{name}": value for name, value in values.items()}


def head_dim(config: PretrainedConfig) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def rope_factors(model: PreTrainedModel) -> Any:
    """By what Llama 3's scaling divides each of the head_dim / 2 frequencies, a tensor; None where there is no such."""
    import torch

    rope = _rope(model.config)
    if rope.get("rope_type", "default") != "llama3":
        return None
    size = head_dim(model.config)
    plain = 1.0 / rope["rope_theta"] ** (torch.arange(0, size, 2, dtype=torch.float64) / size)
    scaled = model.get_submodule("model.rotary_emb").get_buffer("inv_freq")
    return (plain / scaled.double().cpu()).float()


def _rope(config: PretrainedConfig) -> Mapping[str, Any]:
    """Of layers that see all of the text, where some do not."""
    rope: Any = config.rope_parameters
    return rope.get("full_attention", rope)


def _scaling(rope: Mapping[str, Any]) -> dict[str, Value]:
    if rope.get("rope_type", "default") == "linear":
        return {"rope.scaling.type": "linear", "rope.scaling.factor": float(rope["factor"])}
    return {}


def _context(config: PretrainedConfig) -> int:
    """Llama's architecture has no window: Mistral's first model computes the same as long as its window holds all."""
    window = getattr(config, "sliding_window", None) if config.model_type == "mistral" else None
    return min(config.max_position_embeddings, window or config.max_position_embeddings)


def _refuse_other_functions(config: PretrainedConfig, family: Family) -> None:
    def refuse(what: str) -> UserError:
        return UserError(
            f"This {config.model_type} model cannot be written as GGUF: {what}, which llama.cpp's architecture "
            f"'{family.architecture}' has not; leave --gguf out."
        )

    activation = getattr(config, "hidden_activation", None) or getattr(config, "hidden_act", None)
    if activation != family.activation:
        raise refuse(f"its activation is {activation}")
    rope = _rope(config)
    if (kind := rope.get("rope_type", "default")) not in ("default", "linear", "llama3"):
        raise refuse(f"its positions are scaled by the rule '{kind}'")
    if kind == "llama3" and not family.paired_rope:
        raise refuse("its positions are scaled as Llama 3's")
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        raise refuse("only a part of each head has positions")
    layers = getattr(config, "layer_types", None) or []
    windows = [kind == "sliding_attention" for kind in layers]
    every = family.full_attention_every
    if config.model_type != "mistral" and windows and windows != [bool((at + 1) % every) for at in range(len(layers))]:
        raise refuse("other layers look at a window of the text")
    if family.shifted_norms:
        _refuse_other_gemma(config, family, refuse)


def _refuse_other_gemma(config: PretrainedConfig, family: Family, refuse: Callable[[str], UserError]) -> None:
    large = config.num_hidden_layers == family.large
    scale = config.hidden_size // config.num_attention_heads if large else head_dim(config)
    if config.query_pre_attn_scalar != scale:
        raise refuse(f"attention is scaled by {config.query_pre_attn_scalar} instead of {scale}")
    local: Any = config.rope_parameters
    if local.get("sliding_attention", {}).get("rope_theta", _LOCAL_ROPE_THETA) != _LOCAL_ROPE_THETA:
        raise refuse("its windows have another rope_theta")
    if family.architecture == "gemma2":
        missing = [name for name in ("attn_logit_softcapping", "final_logit_softcapping") if not getattr(config, name)]
    else:
        missing = []
        if getattr(config, "attn_logit_softcapping", None) or getattr(config, "final_logit_softcapping", None):
            raise refuse("its logits are capped")
    if missing:
        raise refuse(f"there is no {' and no '.join(missing)}")
