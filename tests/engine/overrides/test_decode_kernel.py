"""The decoding kernel agrees with attention worked out in float64, and puts the new keys and values into the cache.

Triton's interpreter, which runs it on a CPU, has no bfloat16 matrix products; float16 stands for both.
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM

from engine.inference.decode.decoder import Decoder
from engine.inference.decode.kv_cache import KVCache
from engine.inference.decode.sampling import GREEDY
from engine.inference.lm_head import LMHead
from engine.overrides import reference
from engine.overrides.kernels import DecodeAttention

pytestmark = pytest.mark.slow

# Of a cache of 200. Each case has one half of them: whichever two of its properties are chosen, both halves meet them.
POSITIONS = ((0, 63, 65, 198), (1, 64, 130, 199))
CASES = {
    f"{dtype}, {heads} heads on {kv_heads} of {head_dim}, window {window}, softcap {softcap}": (
        dtype, heads, kv_heads, head_dim, window, softcap,
        POSITIONS[(dtype == "float16") ^ (kv_heads == 4) ^ (head_dim == 80) ^ (window is None) ^ (softcap is None)],
    )
    for dtype, (heads, kv_heads), head_dim, window, softcap in product(
        ("float32", "float16"), ((8, 2), (4, 4), (6, 1)), (64, 80), (None, 7), (None, 5.0)
    )
}  # fmt: skip
LARGEST = {"float32": 1e-6, "float16": 2e-3}


def gap(
    dtype_name: str, heads: int, kv_heads: int, head_dim: int, window: int | None, softcap: float | None,
    of: tuple[int, ...],
) -> float:  # fmt: skip
    """‖ours − exact‖ / ‖exact‖; inf if the cache is not what it should be."""
    from engine.overrides.decode_kernel import decode_attention

    torch.manual_seed(0)
    dtype = getattr(torch, dtype_name)
    count, length = len(of), 200
    positions = torch.tensor(of)
    query = torch.randn(count, heads, 1, head_dim, dtype=dtype)
    # As a model's projections lay them out.
    key, value = (torch.randn(count, 1, kv_heads, head_dim, dtype=dtype).transpose(1, 2) for _ in range(2))
    keys, values = torch.randn(2, count, kv_heads, length, head_dim, dtype=dtype)
    expected_keys, expected_values = keys.clone(), values.clone()
    expected_keys[range(count), :, positions] = key[:, :, 0]
    expected_values[range(count), :, positions] = value[:, :, 0]
    found = decode_attention(
        query, key, value, keys, values, positions, scaling=None, window=window, softcap=softcap
    ).double()
    if not (torch.equal(keys, expected_keys) and torch.equal(values, expected_values)):
        return float("inf")
    exact_keys, exact_values = (
        cache.repeat_interleave(heads // kv_heads, 1).double() for cache in (expected_keys, expected_values)
    )
    scores = query.double() @ exact_keys.transpose(2, 3) * head_dim**-0.5
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    steps = torch.arange(length)
    sees = steps <= positions[:, None]
    if window is not None:
        sees &= positions[:, None] - steps < window
    exact = (scores.masked_fill(~sees[:, None, None], float("-inf")).softmax(-1) @ exact_values).transpose(1, 2)
    return ((found - exact).norm() / exact.norm()).item()


def decoded(kernel: DecodeAttention | None) -> list[list[int]]:
    """Tokens after a cache of noise, by layers with and without a window: of four slots, then of two of them."""
    torch.manual_seed(3)
    config = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, sliding_window=6, attn_logit_softcapping=2.0, initializer_range=0.3,
    )  # fmt: skip
    model = Gemma2ForCausalLM(config).eval()
    slots = KVCache(model, 4, 30, GREEDY)
    slots.states.normal_()
    slots.positions.copy_(torch.tensor([1, 5, 17, 27]))  # the last of them comes to its cache's end
    with torch.no_grad():
        of_four = Decoder(model, LMHead(model), slots, GREEDY, kernel=kernel).run(5, 27)
        of_two = Decoder(model, LMHead(model), slots.shrink([1, 2]), GREEDY, kernel=kernel).run(5, 22)
    return [*of_four.tolist(), *of_two.tolist()]


@pytest.mark.parametrize("case", CASES)
def test_each_sequence_sees_what_it_should(case: str, interpreted: dict[str, Any]) -> None:
    assert interpreted["gaps"][case] < LARGEST[CASES[case][0]]


def test_a_model_decodes_the_same_tokens_with_it(interpreted: dict[str, Any]) -> None:
    assert interpreted["decoded"] == decoded(None) == decoded(reference.decode_attention)


if __name__ == "__main__":
    from engine.overrides.decode_kernel import decode_attention

    gaps = {name: gap(*case) for name, case in CASES.items()}
    print(json.dumps({"gaps": gaps, "decoded": decoded(decode_attention)}))
