"""The output layer applied to chosen positions gives what the model's own forward pass gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from engine.errors import UserError
from engine.inference.lm_head import LMHead

SIZES: dict[str, Any] = {
    "vocab_size": 96,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
    "gemma2, which caps its logits": lambda: Gemma2ForCausalLM(Gemma2Config(**SIZES, final_logit_softcapping=1.5)),
    "granite, which divides them": lambda: GraniteForCausalLM(GraniteConfig(**SIZES, logits_scaling=3.0)),
    "cohere, which multiplies them": lambda: CohereForCausalLM(CohereConfig(**SIZES, logit_scale=0.25)),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


@torch.no_grad()
def test_scores_are_those_of_a_full_log_softmax(model: PreTrainedModel) -> None:
    tokens = torch.randint(3, 96, (1, 40), generator=torch.Generator().manual_seed(1))
    targets = torch.randint(3, 96, (40,), generator=torch.Generator().manual_seed(2))
    full = torch.log_softmax(model(tokens).logits[0].float(), -1)
    hidden = model.base_model(tokens).last_hidden_state[0]

    log_probabilities, greedy = LMHead(model).score(hidden, targets)

    torch.testing.assert_close(log_probabilities, full.gather(1, targets[:, None])[:, 0])
    assert greedy.tolist() == (full.argmax(-1) == targets).tolist()
    assert LMHead(model).score(hidden, full.argmax(-1))[1].all()


def test_a_model_with_logits_of_its_own_kind_is_refused() -> None:
    class Doubling(LlamaForCausalLM):
        def forward(self, *args, **kwargs):
            output: Any = super().forward(*args, **kwargs)
            output.logits = output.logits * 2
            return output

    with pytest.raises(UserError, match="'llama' compute their logits in a way"):
        LMHead(Doubling(LlamaConfig(**SIZES)).eval())


@pytest.mark.parametrize("vocab_size", [96, 97], ids=["in two steps", "in one"])
@torch.no_grad()
def test_of_equally_likely_tokens_the_first_is_taken(vocab_size: int) -> None:
    torch.manual_seed(0)
    sizes: dict[str, Any] = SIZES | {"vocab_size": vocab_size}
    model: Any = LlamaForCausalLM(LlamaConfig(**sizes)).eval()
    hidden = torch.randn(200, 32)
    head = LMHead(model)
    weight = model.lm_head.weight
    for copies in ([], [5, 6, 40, 95]):  # the same token four times, in one part of the vocabulary and in others
        weight[copies] = hidden[0] if copies else weight[copies]
        chosen = head.most_likely(hidden)
        logits = model.lm_head(hidden)
        assert chosen.tolist() == [row.tolist().index(max(row.tolist())) for row in logits]
    assert chosen[0] == 5
