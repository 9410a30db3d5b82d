"""A model over several GPUs: which part goes where, told without weights; and refusals in words."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.pruning import spreading
from engine.pruning.loading import load_model
from engine.pruning.spreading import device_map, spread_over
from warehouse.records.level import parse_levels

CONFIG = LlamaConfig(
    hidden_size=64, intermediate_size=256, num_hidden_layers=8, num_attention_heads=4, num_key_value_heads=4,
    vocab_size=128, tie_word_embeddings=False,
)  # fmt: skip
LAYER = 4 * (4 * 64 * 64 + 3 * 64 * 256)  # bytes in float32, but for its norms
EMBEDDING = 4 * 128 * 64


def test_whole_layers_go_to_each_gpu_in_their_order():
    found = device_map(CONFIG, torch.float32, dict.fromkeys(range(2), 8 * LAYER))
    layers = [found[f"model.layers.{number}"] for number in range(8)]
    assert layers == sorted(layers)
    assert set(layers) == {0, 1}
    assert 3 <= layers.count(0) <= 5
    assert found["model.embed_tokens"] == 0
    assert found["lm_head"] == 1


def test_more_gpus_have_fewer_layers_each():
    found = device_map(CONFIG, torch.float32, dict.fromkeys(range(4), 4 * LAYER))
    layers = [found[f"model.layers.{number}"] for number in range(8)]
    assert layers == sorted(layers)
    assert len(set(found.values())) >= 3


def test_weights_that_do_not_fit_are_refused_and_nothing_goes_to_main_memory():
    with pytest.raises(UserError, match=r"do not fit on 2 GPUs.*ask for more with --cards"):
        device_map(CONFIG, torch.float32, dict.fromkeys(range(2), 2 * LAYER))
    assert device_map(CONFIG, torch.bfloat16, dict.fromkeys(range(2), 4 * LAYER))


def test_without_accelerate_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(spreading, "is_accelerate_available", lambda: False)
    with pytest.raises(UserError, match=r"needs accelerate, which is not installed: `pip install prune-tui\[large\]`"):
        device_map(CONFIG, torch.float32, {0: 10**9, 1: 10**9})


def test_fewer_gpus_than_asked_for_are_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="asks for 2 GPUs, and there is 1"):
        spreading.room_on(2)


def test_as_many_gpus_as_there_are_may_be_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda number: (10 + number, 100))
    assert spreading.room_on(2) == {0: 10, 1: 11}


def test_a_spread_models_layers_and_its_output_answer_where_they_were_asked():
    pytest.importorskip("accelerate")
    from accelerate.hooks import SequentialHook

    loaded, _ = load_model(str(MODEL_DIR), dtype=torch.float32, device=torch.device("cpu"), spread={"": "cpu"})  # type: ignore[dict-item]
    parts: tuple[Any, ...] = (loaded.base_model, loaded.get_output_embeddings())
    for part in parts:
        hook = part._hf_hook
        last: Any = hook.hooks[-1] if isinstance(hook, SequentialHook) else hook
        assert last.io_same_device


def test_a_model_on_one_device_is_spread_over_one():
    assert spread_over(torch.nn.Linear(1, 1)) == 1
    model = torch.nn.Linear(1, 1)
    model.__dict__["hf_device_map"] = {"a": 0, "b": 1, "c": 1}  # as transformers leaves it
    assert spread_over(model) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cards": 0}, "--cards 0 is no number of GPUs"),
        ({"cards": 2, "device": "cpu"}, "--device says cpu"),
        ({"cards": 2, "compile_layers": True}, "--compile is for a model on one GPU"),
        ({"cards": 2, "repair": "lsq"}, "neurons are looked at, and damage is measured, on one GPU only"),
    ],
)
def test_what_cannot_be_done_on_several_is_refused_as_it_is_planned(more, said):
    with pytest.raises(UserError, match=said):
        RunPlan(name="a", model="a", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),), **more)
