"""Models whose sequences cannot be packed in trees get HFLM's answers as well, if more slowly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from transformers import AutoTokenizer

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.inference.plain_scorer import PlainScorer

TOKENIZER: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
SIZES: dict[str, Any] = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": TOKENIZER.bos_token_id,
    "eos_token_id": TOKENIZER.eos_token_id,
}
NOT_PACKED = {
    # Three of four layers are linear attention, with a state of their own.
    "Qwen3_5": ("Qwen3_5TextConfig", "attend 1 times in 4 layers"),
    "OlmoHybrid": ("OlmoHybridConfig", "attend 1 times in 4 layers"),
    "DiffLlama": ("DiffLlamaConfig", "attend 8 times in 4 layers"),
    "Gemma4": ("Gemma4TextConfig", "do not take packed sequences"),  # heads of two sizes
}


@pytest.fixture(params=NOT_PACKED)
def model(request: pytest.FixtureRequest) -> Any:
    config = getattr(transformers, NOT_PACKED[request.param][0], None)
    if config is None:
        pytest.skip(f"this release of transformers has no {request.param}")
    torch.manual_seed(0)
    made = getattr(transformers, f"{request.param}ForCausalLM")(config(**SIZES)).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    return made


def instances(kind: Any, *arguments: tuple[Any, ...]) -> list[Instance]:
    return [Instance(kind, {}, given, index) for index, given in enumerate(arguments)]


PAIRS = instances(
    "loglikelihood",
    ("The cat sat", " on the mat"), ("The cat sat", " on the dog"), ("The cat", " sat on the mat and slept"),
    ("", "Once upon a time"), ("Once upon a time there was a", " b"), ("Once upon a time there was a", " c"),
)  # fmt: skip
TEXTS = instances("loglikelihood_rolling", ("The cat sat on the mat. " * 60,), ("A dog.",))
PROMPTS = instances(
    "generate_until", *((text, {"until": ["\n"], "max_gen_toks": 12}) for text in ("The cat", "Once upon a time", "A"))
)


@pytest.mark.slow
def test_every_answer_is_hflms(model: Any) -> None:
    said: list[str] = []
    ours = PrunedLM(model, TOKENIZER, batch_tokens=64, warn=said.append)
    assert len(said) == 1
    [why] = (why for name, (_, why) in NOT_PACKED.items() if type(model).__name__.startswith(name))
    assert f"'{model.config.model_type}' {why}" in said[0]
    hflm: Any = get_model("hf")
    # One at a time: what HFLM pads rolling windows with has a part in the state of such layers.
    reference = hflm(pretrained=model, tokenizer=TOKENIZER, batch_size=1)
    expected = reference.loglikelihood(PAIRS, disable_tqdm=True)
    found = ours.loglikelihood(PAIRS)
    assert [score for score, _ in found] == pytest.approx([score for score, _ in expected], rel=1e-4)
    assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]
    rolling = reference.loglikelihood_rolling(TEXTS, disable_tqdm=True)
    assert ours.loglikelihood_rolling(TEXTS) == pytest.approx(rolling, rel=1e-4)
    assert ours.generate_until(PROMPTS) == reference.generate_until(PROMPTS, disable_tqdm=True)


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = PrunedLM(model, TOKENIZER, batch_tokens=10**4, warn=lambda message: None)
    expected = ours.loglikelihood(PAIRS)
    done: list[int] = []
    ours.progress = lambda requests, tokens: done.append(requests)
    own = PlainScorer._score

    def small_memory(scorer: PlainScorer, sequences: Any) -> Any:
        if len(sequences) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return own(scorer, sequences)

    monkeypatch.setattr(PlainScorer, "_score", small_memory)
    found = ours.loglikelihood(PAIRS)
    assert [score for score, _ in found] == pytest.approx([score for score, _ in expected])
    assert sum(done) == len(PAIRS)
