"""A GGUF file says the same to three readers: transformers' weights, transformers dequantising it, and llama.cpp."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import FAMILIES, TEXTS, TOKENIZERS, byte_level, make_family, tiny_config
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from engine.errors import UserError
from engine.inference.llama_cpp import LlamaCpp
from engine.pruning.gguf_file import reading, vocabulary, writing
from engine.pruning.padding import add_zero_neurons

pytest.importorskip("gguf")
pytest.importorskip("cyllama")
PROMPT = [1, *range(5, 45)]  # longer than the windows and Llama 3's original context here


def slow_but(fast: str, names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=() if name == fast else pytest.mark.slow) for name in names]


def logits(model: PreTrainedModel) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([PROMPT])).logits[0].numpy()


def by_llama_cpp(native: LlamaCpp) -> np.ndarray:
    return np.stack(list(native.logits(np.array(PROMPT))))


def off(values: np.ndarray, reference: np.ndarray) -> float:
    """The largest difference, in standard deviations of the reference."""
    return float(np.abs(values - reference).max() / reference.std())


@pytest.mark.parametrize("family", slow_but("llama-2", FAMILIES))
def test_f16_computes_the_same_in_transformers_and_in_llama_cpp(tmp_path: Path, family: str) -> None:
    model, tokenizer = make_family(family)
    writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
    there, _ = reading.load(tmp_path / "model.gguf", model.config, tokenizer, torch.float32)
    ours = logits(model)
    assert off(logits(there), ours) < 1e-4  # these weights are f16's own
    native = LlamaCpp(tmp_path / "model.gguf")
    assert off(by_llama_cpp(native), ours) < 2e-2  # llama.cpp rounds what goes into a layer to f16
    assert [native.tokens(text) for text in TEXTS] == [tokenizer(text)["input_ids"] for text in TEXTS]


@pytest.mark.parametrize("family", slow_but("qwen2", ["qwen2", "llama-3", "gemma3"]))
def test_q8_0_is_close_and_the_same_for_both_readers(tmp_path: Path, family: str) -> None:
    model, tokenizer = make_family(family)
    add_zero_neurons(model, 96)
    writing.write(tmp_path / "model.gguf", model, tokenizer, "q8_0", writing.About(name="tiny"))
    there, _ = reading.load(tmp_path / "model.gguf", model.config, tokenizer, torch.float32)
    dequantised = logits(there)
    assert 1e-4 < off(dequantised, logits(model)) < 0.3
    assert off(by_llama_cpp(LlamaCpp(tmp_path / "model.gguf")), dequantised) < 0.3


@pytest.mark.parametrize("name", TOKENIZERS)
def test_llama_cpp_cuts_texts_into_the_same_tokens(tmp_path: Path, name: str) -> None:
    model, _ = make_family("llama-2")
    tokenizer = TOKENIZERS[name]()
    model.resize_token_embeddings(len(tokenizer))
    writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
    native = LlamaCpp(tmp_path / "model.gguf")
    for text in TEXTS:
        assert native.tokens(text) == tokenizer(text)["input_ids"], text


class TestRefusals:
    """One sentence, before weights are loaded: what cannot be written would load elsewhere and be another model."""

    @pytest.mark.parametrize(
        ("family", "changes", "reason"),
        [
            ("gemma3", {"query_pre_attn_scalar": 8}, "attention is scaled by 8 instead of 16"),
            ("gemma2", {"attn_logit_softcapping": None}, "there is no attn_logit_softcapping"),
            ("gemma2", {"layer_types": ["full_attention"] * 2}, "other layers look at a window"),
            ("llama-2", {"hidden_act": "gelu"}, "its activation is gelu"),
            ("qwen3", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "scaled by the rule 'yarn'"),
            ("qwen2", {"model_type": "smollm3"}, "'smollm3' is not written as GGUF here"),
            ("qwen2", {"hidden_size": 72}, "hidden_size, 72, is no multiple of 32; use --gguf f16"),
            ("qwen2", {"num_attention_heads": 3}, "its heads together, 48, is no multiple of 32"),
        ],
    )
    def test_a_shape_or_a_family(self, family: str, changes: dict[str, object], reason: str) -> None:
        config, tokenizer = tiny_config(family)
        for name, value in changes.items():
            setattr(config, name, value)
        with pytest.raises(UserError, match=reason):
            writing.check(config, tokenizer, "q8_0")

    @pytest.mark.parametrize(
        ("normalizer", "cut", "reason"),
        [
            (normalizers.Lowercase(), pre_tokenizers.ByteLevel(add_prefix_space=False), "by a rule that is not known"),
            (None, pre_tokenizers.Whitespace(), "by a rule that is not known"),
            (None, pre_tokenizers.ByteLevel(add_prefix_space=True), "by a rule that is not known"),
        ],
    )
    def test_a_tokenizer_that_cuts_otherwise(self, normalizer: Any, cut: Any, reason: str) -> None:
        config, tokenizer = tiny_config("qwen2")
        raw: Any = tokenizer.backend_tokenizer
        raw.normalizer, raw.pre_tokenizer = normalizer, cut
        with pytest.raises(UserError, match=reason):
            writing.check(config, tokenizer, "f16")

    def test_a_tokenizer_without_merges(self) -> None:
        config, _ = tiny_config("qwen2")
        words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
        with pytest.raises(UserError, match="it is no BPE but WordLevel"):
            writing.check(config, words, "f16")

    def test_weights_beyond_f16(self, tmp_path: Path) -> None:
        model, tokenizer = make_family("qwen2")
        model.get_submodule("model.layers.0.mlp.up_proj").get_parameter("weight")[0, 0] = 1e5
        with pytest.raises(UserError, match=r"blk.0.ffn_up.weight has weights too large for f16: use --gguf q8_0"):
            writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))

    def test_a_file_that_is_not_of_the_config_beside_it(self, tmp_path: Path) -> None:
        model, tokenizer = make_family("qwen2")
        writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
        model.config.rms_norm_eps = 1e-3
        with pytest.raises(UserError, match=r"are not of one model: its qwen2.attention.layer_norm_rms_epsilon"):
            reading.load(tmp_path / "model.gguf", model.config, tokenizer, torch.float32)

    def test_a_file_that_is_not_of_the_tokenizer_beside_it(self, tmp_path: Path, monkeypatch) -> None:
        model, tokenizer = make_family("qwen2")
        writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
        own = vocabulary.vocabulary(tokenizer, model.config.vocab_size)
        for other, said in (
            (replace(own, tokens=[*own.tokens[:-1], "another"]), "its list of tokens is another one"),
            (replace(own, merges=own.merges[1:]), "its list of merges is another one"),
            (replace(own, cut="llama-bpe"), "its tokenizer is another one"),
        ):
            monkeypatch.setattr(reading, "vocabulary", lambda tokenizer, size, other=other: other)
            with pytest.raises(UserError, match=f"are not of one model: {said}; put it back"):
                reading.load(tmp_path / "model.gguf", model.config, tokenizer, torch.float32)


def test_a_chat_template_is_told_where_there_is_one_for_all() -> None:
    tokenizer = byte_level("llama-bpe")
    assert vocabulary.vocabulary(tokenizer, len(tokenizer)).chat_template is None
    tokenizer.chat_template = "{{ messages }}"
    assert vocabulary.vocabulary(tokenizer, len(tokenizer)).chat_template == "{{ messages }}"


def test_qwens_pattern_is_transformers_own() -> None:
    """Qwen's tokenizer is written down in transformers: what we compare with is the same."""
    from transformers.models.qwen2 import tokenization_qwen2

    assert any(tokenization_qwen2.PRETOKENIZE_REGEX in step for steps, _ in vocabulary._CUTS for step in steps)
