"""Greedy generation gives the tokens that transformers' own `generate` gives for each prompt by itself."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from engine.inference.decode import generator
from engine.inference.decode.generator import Generator
from engine.inference.decode.kv_cache import KVCache
from engine.inference.decode.sampling import GREEDY
from engine.inference.lm_head import LMHead
from engine.inference.tree import last_layer
from engine.inference.tree.attending import attending
from engine.inference.tree.attention import DENSE
from engine.inference.tree.device_row import DeviceRow

SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "initializer_range": 0.3,  # wide enough that the most likely token is no near tie
}
MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "mistral with a sliding window": lambda: MistralForCausalLM(MistralConfig(**SIZES, sliding_window=6)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "gemma2": lambda: Gemma2ForCausalLM(
        Gemma2Config(**SIZES, head_dim=8, sliding_window=6, attn_logit_softcapping=2.0)
    ),
}
NEW = 40
FAST = ("llama", "mistral with a sliding window")


@pytest.fixture(params=[name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in MODELS])
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    torch.manual_seed(3)
    return MODELS[request.param]().eval()


def prompts(count: int = 11) -> list[np.ndarray[Any, Any]]:
    """Prompts of many lengths; they share a beginning, and two of them are the same."""
    rng = np.random.default_rng(2)
    stem = rng.integers(3, 64, size=9)
    made = [np.concatenate((stem, rng.integers(3, 64, size=rng.integers(0, 12)))) for _ in range(count - 2)]
    return [*made, made[0].copy(), rng.integers(3, 64, size=1)]


_ALONE: dict[tuple[type, bytes], list[int]] = {}


def alone(model: Any, prompt: np.ndarray[Any, Any]) -> list[int]:
    """What `generate` makes of one prompt; the models of a class are all the same, and asked once."""
    asked = type(model), prompt.tobytes()
    if asked not in _ALONE:
        output = model.generate(torch.from_numpy(prompt)[None], max_new_tokens=NEW, do_sample=False)
        made = output[0, len(prompt) :].tolist()
        _ALONE[asked] = made[: made.index(2) + 1] if 2 in made else made
    return list(_ALONE[asked])


def ends_at(some: set[int]) -> Callable[[list[int], int], int | None]:
    """A text's end is the first of these tokens."""
    return lambda tokens, start: next((at + 1 for at in range(start, len(tokens)) if tokens[at] in some), None)


def generate(model: PreTrainedModel) -> list[list[int]]:
    return Generator(model, LMHead(model), DENSE).generate(
        prompts(), max_new_tokens=NEW, end_of=ends_at({2}), max_tokens=64, progress=lambda *done: None
    )


@pytest.mark.parametrize("slots", one_in(3, [3, 32, 1]), ids=["three slots", "a slot each", "one slot"])
def test_every_prompt_is_continued_as_if_it_ran_alone(
    model: PreTrainedModel, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "CPU_SEQUENCES", slots)
    assert generate(model) == [alone(model, prompt) for prompt in prompts()]


def test_a_cache_that_holds_few_of_them_changes_nothing(
    model: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = generate(model)
    counts: list[int] = []
    usual = Generator._slot_count
    monkeypatch.setattr(Generator, "_slot_count", lambda *given: counts.append(usual(*given)) or counts[-1])
    for size, most in ((100_000, 5), (1, 1)):
        monkeypatch.setattr(generator, "CPU_CACHE", size)
        assert generate(model) == expected
        assert 1 <= counts[-1] <= most


@pytest.mark.parametrize("slots", [32, 5, 2])
def test_tokens_that_are_read_late_change_nothing(
    model: PreTrainedModel, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, where a sequence's end is seen when the next tokens are already on their way."""
    monkeypatch.setattr(generator, "CPU_SEQUENCES", slots)
    expected = [alone(model, prompt) for prompt in prompts()]
    eos = {2, *(token for tokens in expected[::2] for token in tokens[3:5])}
    ahead = Generator(model, LMHead(model), DENSE)
    ahead._runs_ahead = True
    done: list[int] = []
    found = ahead.generate(
        prompts(), max_new_tokens=NEW, end_of=ends_at(eos), max_tokens=64,
        progress=lambda requests, tokens: done.append(requests),
    )  # fmt: skip
    assert found == [tokens[: ends_at(eos)(tokens, 0)] for tokens in expected]
    assert any(len(mine) < len(theirs) for mine, theirs in zip(found, expected, strict=True))
    assert sum(done) == len(prompts())


def test_a_single_token_needs_no_decoding(model: PreTrainedModel) -> None:
    made = Generator(model, LMHead(model), DENSE).generate(
        prompts(), max_new_tokens=1, end_of=ends_at({2}), max_tokens=64, progress=lambda *done: None
    )
    assert made == [alone(model, prompt)[:1] for prompt in prompts()]


def test_progress_counts_every_prompt_once() -> None:
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    done: list[int] = []
    Generator(model, LMHead(model), DENSE).generate(
        prompts(), max_new_tokens=5, end_of=ends_at({2}), max_tokens=64,
        progress=lambda requests, tokens: done.append(requests),
    )  # fmt: skip
    assert sum(done) == len(prompts())


def test_the_cache_is_gone_with_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle of references would keep it, tens of gigabytes on a GPU, beside the next task's."""
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    made: list[weakref.ref[torch.Tensor]] = []
    usual = KVCache.__init__

    def noted(self: KVCache, *arguments: Any, **options: Any) -> None:
        usual(self, *arguments, **options)
        made.append(weakref.ref(self.states))

    monkeypatch.setattr(KVCache, "__init__", noted)
    gc.disable()
    try:
        generate(model)
        assert made
        assert all(cache() is None for cache in made)
    finally:
        gc.enable()


def test_a_row_of_prompts_keeps_its_masks_for_its_own_pass_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of rows may be sent ahead, and where masks are dense each may take megabytes."""
    torch.manual_seed(3)
    model = MODELS["mistral with a sliding window"]()
    rows: list[weakref.ref[DeviceRow]] = []
    with_masks: list[int] = []

    @contextmanager
    def noted(model: PreTrainedModel, row: DeviceRow) -> Iterator[None]:
        rows.append(weakref.ref(row))
        with attending(model, row):
            yield
        with_masks.append(sum(bool(alive.windows) for known in rows if (alive := known()) is not None))

    monkeypatch.setattr(last_layer, "attending", noted)
    Generator(model.eval(), LMHead(model), DENSE).generate(
        prompts(), max_new_tokens=1, end_of=ends_at({2}), max_tokens=16, progress=lambda *done: None
    )
    assert len(with_masks) > 2
    assert set(with_masks) == {1}


def test_moving_to_fewer_slots_takes_no_second_cache() -> None:
    torch.manual_seed(3)
    slots = KVCache(LlamaForCausalLM(LlamaConfig(**SIZES)), 6, 10, GREEDY)
    slots.states.normal_()
    slots.tokens.copy_(torch.arange(6))
    before = slots.states.clone()
    fewer = slots.shrink([1, 2, 5])
    assert torch.equal(fewer.states, before[:, :, [1, 2, 5]])
    assert fewer.states.data_ptr() == slots.states.data_ptr()
    assert fewer.tokens.tolist() == [1, 2, 5]
