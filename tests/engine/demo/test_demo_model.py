"""The demo model that ships: small, a real GLU model with grouped queries, and loadable as any other."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MODEL_DIR)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype="auto")


def test_the_weights_fit_in_four_megabytes() -> None:
    assert (MODEL_DIR / "model.safetensors").stat().st_size <= 4_000_000
    assert sum(path.stat().st_size for path in MODEL_DIR.iterdir()) <= 4_000_000


def test_everything_that_a_model_folder_needs_is_there() -> None:
    assert {path.name for path in MODEL_DIR.iterdir()} == {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_it_is_a_llama_with_glu_layers_and_grouped_queries(model) -> None:
    assert model.config.model_type == "llama"
    assert model.dtype == torch.bfloat16
    assert model.num_parameters() == 1_558_144
    assert 1 < model.config.num_key_value_heads < model.config.num_attention_heads
    for layer in model.model.layers:
        assert layer.mlp.gate_proj.weight.shape == layer.mlp.up_proj.weight.shape == (512, 128)
        assert layer.mlp.down_proj.weight.shape == (128, 512)
        assert torch.isfinite(layer.mlp.gate_proj.weight).all()
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight


@pytest.mark.parametrize("text", ["Mia has 12 cups.", "  two\n\nlines\t", "Zoë 😀 Ωμέγα", "x = {'a': [1, 2]} # ~", ""])
def test_the_tokenizer_gives_any_text_back(text: str, tokenizer) -> None:
    ids = tokenizer.encode(text)
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
    assert tokenizer.encode(text, add_special_tokens=False) == ids[1:]


def test_tokenizer_and_model_agree_on_special_tokens(tokenizer, model) -> None:
    assert len(tokenizer) == model.config.vocab_size
    assert tokenizer.model_max_length == model.config.max_position_embeddings
    for config in (model.config, model.generation_config):
        assert config.bos_token_id == tokenizer.bos_token_id
        assert config.eos_token_id == tokenizer.eos_token_id
        assert config.pad_token_id == tokenizer.pad_token_id


def test_it_answers_in_its_chat_template(tokenizer, model) -> None:
    messages = [{"role": "user", "content": "Say green twice."}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    assert tokenizer.decode(prompt["input_ids"][0]) == "<s><|user|>Say green twice.<|assistant|>"
    out = model.generate(**prompt, max_new_tokens=8, do_sample=False)
    assert tokenizer.decode(out[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True) == "green green"
