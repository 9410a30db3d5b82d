"""What a model's name tells of its training."""

from __future__ import annotations

import pytest

from warehouse.records.tuned import tuned


@pytest.mark.parametrize(
    "model",
    [
        "meta-llama/Llama-3.2-1B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct", "google/gemma-3-1b-it",
        "chat/Llama-2-7b-chat-hf",
        "mistralai/Mistral-7B-Instruct-v0.3", "/models/zephyr-7b", "HuggingFaceH4/zephyr-7b-beta", "x/tulu-2-dpo-7b",
        "C:\\models\\Llama-3.2-1B-Instruct\\",
    ],
)  # fmt: skip
def test_a_word_of_tuning_tells_a_tuned_model(model: str) -> None:
    assert tuned(model) is True


@pytest.mark.parametrize(
    "model",
    [
        "meta-llama/Llama-3.2-3B", "Qwen/Qwen2.5-0.5B", "google/gemma-3-1b-pt", "HuggingFaceTB/SmolLM2-135M",
        "mistralai/Mixtral-8x7B-v0.1", "Qwen/Qwen3-Base", "instruct-folder/Llama-3.2-3B/",
    ],
)  # fmt: skip
def test_a_size_and_no_such_word_tell_a_base_model(model: str) -> None:
    assert tuned(model) is False


@pytest.mark.parametrize("model", ["demo", "my-model", "org/digits", "checkpoint-500", "w4096"])
def test_other_names_tell_nothing(model: str) -> None:
    assert tuned(model) is None
