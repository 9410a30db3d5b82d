"""Damage is the KL divergence from the unpruned model, and how often the likeliest token stays the same."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from engine.evaluation.damage import Damage
from engine.pruning.calibration import Calibration
from engine.pruning.ladder import Ladder

LENGTHS = [24, 9, 17, 24, 1]  # the last predicts nothing
SIZES = {
    "vocab_size": 64, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64, "initializer_range": 0.4,
}  # fmt: skip


def model_of(family: str) -> PreTrainedModel:
    """Gemma's caps its logits."""
    torch.manual_seed(0)
    made = LlamaForCausalLM(LlamaConfig(**SIZES)) if family == "llama" else Gemma2ForCausalLM(Gemma2Config(**SIZES))
    return made.eval()


@pytest.fixture(scope="module")
def text() -> Calibration:
    drawn = np.random.default_rng(1)
    return Calibration.of([drawn.integers(3, 64, n).tolist() for n in LENGTHS], source="self", seed=0)


def log_probabilities(model: PreTrainedModel, sequence: list[int]) -> torch.Tensor:
    """Of the next token, at each place but the last, in float64: [tokens − 1, vocab_size]."""
    with torch.no_grad():
        return model(torch.tensor([sequence])).logits[0, :-1].double().log_softmax(-1)


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_it_is_what_ten_lines_of_float64_say(text: Calibration, family: str) -> None:
    model = model_of(family)
    unpruned = copy.deepcopy(model)
    ladder = Ladder(model, method="maw", seed=0, pad_to=1)
    damage = Damage(model, text)
    ladder.set_width(ladder.full_size // 2)
    [kl, agreement], samples = damage.measure()

    sums: list[tuple[int, float, int]] = []
    for row in text.tokens:
        sequence = row[row >= 0].tolist()
        true, pruned = log_probabilities(unpruned, sequence), log_probabilities(model, sequence)
        alike = int((true.argmax(1) == pruned.argmax(1)).sum())
        sums.append((len(true), float((true.exp() * (true - pruned)).sum()), alike))
    tokens = sum(count for count, _, _ in sums)
    mean = sum(part for _, part, _ in sums) / tokens
    assert kl.value == pytest.approx(mean, rel=1e-4)
    assert kl.value > 0
    assert agreement.value == pytest.approx(sum(alike for *_, alike in sums) / tokens)

    clusters = [(count, part) for count, part, _ in sums if count]
    spread = sum((part - mean * count) ** 2 for count, part in clusters)
    assert kl.stderr == pytest.approx(math.sqrt(len(clusters) / (len(clusters) - 1) * spread) / tokens, rel=1e-3)
    assert kl.n == len(clusters)
    per_sequence = sorted((sample.weight, sample.value) for sample in samples if sample.metric == "kl_divergence")
    assert [weight for weight, _ in per_sequence] == sorted(count for count, _ in clusters)
    assert sum(value for _, value in per_sequence if value is not None) == pytest.approx(mean * tokens, rel=1e-4)


def test_what_removes_nothing_does_no_damage_at_all(text: Calibration) -> None:
    model = model_of("llama")
    ladder = Ladder(model, method="maw", seed=0, pad_to=1, repair="lsq", calibration=text)
    damage = Damage(model, text)
    ladder.set_width(ladder.full_size // 2)
    [pruned, _], _ = damage.measure()
    ladder.set_width(ladder.full_size)
    for unpruned in (True, False):  # by its meaning, and computed again after another width
        [kl, agreement], _ = damage.measure(is_unpruned=unpruned)
        assert (kl.value, kl.stderr) == (0, 0)
        assert (agreement.value, agreement.stderr) == (1, 0)
    assert pruned.value > 0


def test_a_model_that_says_nothing_any_more_has_no_number(text: Calibration) -> None:
    model = model_of("llama")
    ladder = Ladder(model, method="maw", seed=0, pad_to=1)
    damage = Damage(model, text)
    ladder.set_width(ladder.full_size // 2)
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    [kl, agreement], _ = damage.measure()
    assert math.isnan(kl.value)
    assert agreement.value == 0
