"""Tiny models of the families that GGUF is written of, each with a tokenizer of its kind, trained on a few lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from engine.pruning.gguf_file import vocabulary

TEXTS = (
    "Tom has 12 cats and 345678 dogs. It's nice, isn't it?\n\nHe said: 'WE'LL see!'\r\n",
    "Once upon a time there was  a   little girl called Zoë, who didn't like Straße 7½.",
    "print('hello'); x_1 = [1, 2, 3]  # a comment\n\tif x: return 0.5",
    "日本語 and русский язык — “quotes” … 😀 \n  \n end ",
    "",
    " leading and trailing ",
)
BYTE_LEVEL = ("gpt-2", "llama-bpe", "qwen2", "smollm", "tekken")


def byte_level(name: str) -> PreTrainedTokenizerFast:
    """A tokenizer that llama.cpp knows by this name."""
    (steps, whole_words) = next(key for key, value in vocabulary._CUTS.items() if value == name)
    kinds: dict[str, Any] = {
        "bytes": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        "bytes and words": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        "digits": pre_tokenizers.Digits(individual_digits=True),
    }
    made = [
        pre_tokenizers.Split(Regex(step.removeprefix("split ")), "isolated")
        if step.startswith("split ")
        else kinds[step]
        for step in steps
    ]
    raw: Any = Tokenizer(models.BPE(ignore_merges=whole_words))
    raw.pre_tokenizer = pre_tokenizers.Sequence(made) if len(made) > 1 else made[0]
    raw.normalizer = normalizers.NFC() if name == "qwen2" else None
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<s>", "</s>"]
    raw.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=380, initial_alphabet=alphabet, special_tokens=special)
    )
    if name == "llama-bpe":
        raw.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return _fast(raw)


def sentencepiece(*, prefix: bool) -> PreTrainedTokenizerFast:
    """As Llama 2's and Mistral's, with a space before the text, or as Gemma's, without."""
    raw: Any = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    steps: list[Any] = [normalizers.Prepend("▁")] if prefix else []
    raw.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    special = ["<pad>", "<s>", "</s>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, limit_alphabet=60)
    raw.train_from_iterator([" ".join(TEXTS[:3]).replace("\n", " ").replace("\r", " ")], trainer)
    data = json.loads(raw.to_str())
    data["added_tokens"] = [one for one in data["added_tokens"] if one["id"] < 4]
    raw = Tokenizer.from_str(json.dumps(data))
    raw.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    raw.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    if not prefix:
        raw.add_tokens([AddedToken("<image>", special=False, normalized=False)])
    return _fast(raw, unk_token="<unk>")


def _fast(raw: Tokenizer, **more: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>", pad_token="<pad>", **more)


TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    **{name: (lambda name=name: byte_level(name)) for name in BYTE_LEVEL},
    "llama-spm": lambda: sentencepiece(prefix=True),
    "gemma-spm": lambda: sentencepiece(prefix=False),
}
_SIZES = {
    "hidden_size": 64, "intermediate_size": 88, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2,
}  # fmt: skip
_LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "llama-3": ("llama", "llama-bpe", {"tie_word_embeddings": True, "rope_parameters": _LLAMA3}),
    "llama-2": ("llama", "llama-spm", {"attention_bias": True, "mlp_bias": True}),
    "mistral": ("mistral", "llama-spm", {"sliding_window": 64}),
    "nemo": ("mistral", "tekken", {"sliding_window": None, "head_dim": 32}),
    "qwen2": ("qwen2", "qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", "qwen2", {"head_dim": 32}),
    "gemma2": ("gemma2", "gemma-spm", {"query_pre_attn_scalar": 16, "sliding_window": 8}),
    "gemma3": (
        "gemma3_text", "gemma-spm",
        {
            "query_pre_attn_scalar": 16, "sliding_window": 8, "num_hidden_layers": 7,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "rope_theta": 1000000.0, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
        },
    ),
}  # fmt: skip


def tiny_config(name: str) -> tuple[PretrainedConfig, PreTrainedTokenizerFast]:
    model_type, tokenizer_name, changes = FAMILIES[name]
    tokenizer = TOKENIZERS[tokenizer_name]()
    config = AutoConfig.for_model(model_type, **_SIZES | {"vocab_size": len(tokenizer) + 4} | changes)
    return config, tokenizer


def make_family(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    config, tokenizer = tiny_config(name)
    model = AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((torch.randn(parameter.shape, generator=generator) * 0.2).half())
    return model.eval().requires_grad_(False), tokenizer
