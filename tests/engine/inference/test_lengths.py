"""A request's score does not depend on who shares a pass with it, where rotary factors follow the longest of a pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, Phi3Config, Phi3ForCausalLM
from transformers import LlamaModel as Usual

from engine.inference.lengths import Lengths
from engine.inference.lm_head import LMHead
from engine.inference.plain_scorer import PlainScorer
from engine.inference.probing import probe_trees
from engine.inference.tree.attention import DENSE
from engine.inference.tree.tree import Scored
from engine.inference.tree.tree_scorer import Batch, TreeScorer
from engine.inference.tree.trial import best_attention

SIZES: dict[str, Any] = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 96, "pad_token_id": 0, "initializer_range": 0.2,
}  # fmt: skip
LIMIT = 40
LONG: dict[str, Any] = {
    "rope_type": "longrope", "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [2.0, 4.0, 6.0, 8.0],
    "original_max_position_embeddings": LIMIT, "rope_theta": 10000.0, "factor": 4.0,
}  # fmt: skip
DYNAMIC = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
SHORT: dict[str, Any] = SIZES | {"max_position_embeddings": LIMIT}
PHI3 = SIZES | {"original_max_position_embeddings": LIMIT, "rope_parameters": LONG}
BY_TYPE = {"full_attention": LONG, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}
MODELS: dict[str, Callable[[], Any]] = {
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(**PHI3)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters=LONG)),
    "gemma3, in its full layers": lambda: Gemma3ForCausalLM(
        Gemma3TextConfig(
            **SIZES, head_dim=8, sliding_window=16, rope_parameters=BY_TYPE,
            layer_types=["sliding_attention", "full_attention"],
        )
    ),
    # Its limit is the context itself, which lm-eval's requests stay below: here they do not.
    "dynamic": lambda: LlamaForCausalLM(
        LlamaConfig(**SHORT, rope_parameters=DYNAMIC)
    ),
}  # fmt: skip


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def sequences() -> list[Scored]:
    """Of many lengths below and beyond the limit, with beginnings in common."""
    rng = np.random.default_rng(0)
    stem = rng.integers(3, 64, 80)
    lengths = (3, 10, 38, LIMIT, LIMIT + 1, 55, 55, 70, 12)
    made = [np.concatenate((stem[: size - 2], rng.integers(3, 64, 2))) for size in lengths]
    return [Scored(tokens, ((at, rng.integers(3, 64, 2)),)) for at, tokens in enumerate(made)]


@torch.no_grad()
def alone(make: Callable[[], Any], some: Scored) -> float:
    """By a model that has seen nothing before."""
    torch.manual_seed(0)
    logits = make().eval()(torch.from_numpy(some.tokens)[None], use_cache=False).logits[0].log_softmax(-1)
    [(_, continuation)] = some.requests
    return float(logits[-len(continuation) :].gather(1, torch.from_numpy(continuation)[:, None]).sum())


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "one by one"])
def test_long_requests_leave_short_ones_alone(model: Any, packed: bool, request: pytest.FixtureRequest) -> None:
    make = MODELS[request.node.callspec.params["model"]]
    attention, _ = best_attention(model)
    assert probe_trees(model, attention).problem is None
    head, all_of_them = LMHead(model), sequences()
    plain = PlainScorer(model, head, 4096, attention.lengths)
    scorer = TreeScorer(model, head, 4096, attention) if packed else plain
    found = scorer.score(Batch(all_of_them, [1] * len(all_of_them)), lambda *done: None)
    expected = [alone(make, some) for some in all_of_them]
    assert [score for score, _ in found] == pytest.approx(expected, rel=1e-5)
    few = [some for some in all_of_them if len(some.tokens) <= LIMIT]
    again = scorer.score(Batch(few, [1] * len(all_of_them)), lambda *done: None)
    assert all(again[at] == found[at] for some in few for at, _ in some.requests)


@pytest.mark.parametrize("kind", ["phi3", "llama"])
def test_packing_all_lengths_together_would_be_noticed(kind: str) -> None:
    """The trial goes beyond the length at which factors change."""
    torch.manual_seed(0)
    model = MODELS[kind]().eval()
    assert probe_trees(model, best_attention(model)[0]).problem is None
    assert "have to do with each other" in str(probe_trees(model, DENSE).problem)


class OwnFactors(Usual):
    """Turns positions by factors of its own, which follow the number of tokens of a pass."""

    def forward(self, input_ids: Any = None, *args: Any, **kwargs: Any) -> Any:
        self.rotary_emb.inv_freq.copy_(self.rotary_emb.original_inv_freq / (1 if input_ids.shape[1] <= LIMIT else 2))
        return super().forward(input_ids, *args, **kwargs)


class SeesMean(Usual):
    """Lets every token see a little of all others."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        made = super().forward(*args, **kwargs)
        hidden = made.last_hidden_state
        assert hidden is not None
        made.last_hidden_state = hidden + 1e-3 * hidden.mean(1, keepdim=True)
        return made


class BeyondOnly(Usual):
    """Changes what comes at positions beyond a length, by where a token lies in its row."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        made = super().forward(*args, **kwargs)
        hidden = made.last_hidden_state
        assert hidden is not None
        place = torch.arange(hidden.shape[1])[None, :, None]
        made.last_hidden_state = hidden * (1 + 0.01 * (place >= LIMIT))
        return made


@pytest.mark.parametrize("kind", [OwnFactors, SeesMean, BeyondOnly])
def test_a_model_whose_code_looks_at_the_row_is_scored_one_by_one(kind: type) -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig.from_dict(SIZES | {"original_max_position_embeddings": LIMIT})).eval()
    assert probe_trees(model, DENSE).problem is None
    model.model.__class__ = kind
    assert "have to do with each other" in str(probe_trees(model, DENSE).problem)


def test_a_length_that_would_take_too_long_to_fill_is_tried_at_its_positions() -> None:
    torch.manual_seed(0)
    sizes: dict[str, Any] = SIZES | {"max_position_embeddings": 2**24}
    model = LlamaForCausalLM(LlamaConfig(**sizes, rope_parameters=LONG | {"original_max_position_embeddings": 2**22}))
    assert "have to do with each other" in str(probe_trees(model.eval(), DENSE).problem)


def test_factors_are_those_of_the_length_inside_the_block_and_the_passs_outside(model: Any) -> None:
    lengths = Lengths.of(model)
    tokens = torch.arange(3, 13)[None]

    def hidden() -> torch.Tensor:
        with torch.no_grad():
            return model.base_model(tokens, use_cache=False).last_hidden_state

    before = hidden()
    with lengths.pinned(LIMIT + 20):
        assert not torch.allclose(hidden(), before, rtol=1e-3)
    lengths.reset()
    assert torch.equal(hidden(), before)
    assert lengths.kind(LIMIT) == lengths.kind(1) != lengths.kind(LIMIT + 1)


def test_factors_of_a_kind_lie_in_one_place_for_good(model: Any) -> None:
    """A captured step goes on reading them from there, whatever was computed between its replays."""
    lengths = Lengths.of(model)

    def run(length: int) -> None:
        with torch.no_grad():
            model.base_model(torch.arange(length)[None] % 60, use_cache=False)

    def factors() -> list[torch.Tensor]:
        return [buffer for name, buffer in model.named_buffers() if name.endswith("inv_freq")]

    def pinned(length: int) -> list[torch.Tensor]:
        with lengths.pinned(length):
            run(10)
            return factors()

    first = pinned(LIMIT + 20)
    before = [tensor.clone() for tensor in first]
    assert not all(map(torch.equal, first, pinned(5)))
    for length in (LIMIT + 30, 7):
        run(length)
    lengths.reset()
    assert all(map(torch.equal, first, before))
    assert [tensor.data_ptr() for tensor in pinned(LIMIT + 20)] == [tensor.data_ptr() for tensor in first]
    assert not {tensor.data_ptr() for tensor in pinned(5)} >= {tensor.data_ptr() for tensor in first}


def test_a_model_with_fixed_factors_makes_no_difference() -> None:
    lengths = Lengths.of(LlamaForCausalLM(LlamaConfig(**SIZES)))
    assert not lengths.matter
    assert lengths.kind(1) == lengths.kind(10**6)
