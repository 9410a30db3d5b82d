"""Sampled generation: draws from the distribution that transformers' own `generate` draws from, and repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in
from lm_eval.api.instance import Instance
from scipy.stats import chisquare
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.generation import logits_process

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.inference.decode import generator
from engine.inference.decode.generator import Generator
from engine.inference.decode.sampling import LeftToTransformersError, sampling_params
from engine.inference.lm_head import LMHead
from engine.inference.tree.attention import DENSE

DRAWS = 6000
OPTIONS: dict[str, dict[str, Any]] = {
    "transformers' defaults": {},
    "temperature": {"temperature": 1.7, "top_k": 0},
    "top_k": {"temperature": 2.0, "top_k": 12},
    "top_p": {"temperature": 1.5, "top_k": 0, "top_p": 0.8},
    "min_p": {"temperature": 1.5, "top_k": 0, "min_p": 0.05},
    "typical_p": {"temperature": 1.5, "top_k": 0, "typical_p": 0.7},
    "epsilon and eta cut-offs": {"temperature": 1.5, "top_k": 0, "epsilon_cutoff": 0.01, "eta_cutoff": 0.02},
    "top_h": {"temperature": 1.5, "top_k": 0, "top_h": 0.5},
    "repetition penalty": {"temperature": 1.5, "top_k": 0, "repetition_penalty": 1.8},
    "no repeated pairs, and forbidden words": {"top_k": 0, "no_repeat_ngram_size": 2, "bad_words_ids": [[300], [7, 9]]},
    "a bias, and suppressed tokens": {"top_k": 0, "sequence_bias": [[[5], 3.0]], "suppress_tokens": [11, 12]},
}
CONTEXTS = ["Anna likes", "Ben has two dogs. Ben has two", "Once", "The capital of"]


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL_DIR)


def sampled(model: Any, prompt: list[int], options: dict[str, Any], count: int, new: int) -> list[list[int]]:
    sampling = sampling_params(model, {"do_sample": True, **options}, seed=1234)
    return Generator(model, LMHead(model), DENSE).generate(
        [np.array(prompt)] * count, max_new_tokens=new, end_of=lambda tokens, start: None, max_tokens=1024,
        progress=lambda *done: None, sampling=sampling,
    )  # fmt: skip


def expected(model: Any, prompt: list[int], options: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The next token's probabilities, from the scores that transformers' own `generate` reports."""
    output = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), do_sample=True,
        max_new_tokens=1, output_scores=True, return_dict_in_generate=True, **options,
    )  # fmt: skip
    return output.scores[0][0].double().softmax(-1).numpy()


def fit(tokens: list[int], probabilities: np.ndarray[Any, Any]) -> float:
    """How likely draws from these probabilities are to lie as far from them as the tokens do."""
    counts = np.bincount(tokens, minlength=len(probabilities))
    assert not counts[probabilities == 0].any(), "a token was drawn that the options rule out"
    often = probabilities * len(tokens) >= 5
    observed, means = counts[often].tolist(), (probabilities[often] * len(tokens)).tolist()
    observed, means = [*observed, len(tokens) - sum(observed)], [*means, len(tokens) - sum(means)]
    if means[-1] < 1e-6 * len(tokens):
        observed, means = observed[:-1], means[:-1]
    return chisquare(observed, means, sum_check=False).pvalue if len(means) > 1 else 1.0


@pytest.mark.parametrize("options", one_in(6, OPTIONS.values()), ids=list(OPTIONS))
def test_tokens_come_as_often_as_transformers_would_draw_them(
    options: dict[str, Any], model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "CPU_SEQUENCES", 1024)
    prompt = tokenizer("Ben has two dogs. Ben")["input_ids"]
    made = sampled(model, prompt, options, DRAWS, new=2)
    assert fit([tokens[0] for tokens in made], expected(model, prompt, options)) > 0.001
    first = Counter(tokens[0] for tokens in made).most_common(1)[0][0]
    second = [tokens[1] for tokens in made if tokens[0] == first]
    assert fit(second, expected(model, [*prompt, first], options)) > 0.001


def lm_of(model: Any, tokenizer: Any, seed: int = 0, warn: Callable[[str], None] = print) -> PrunedLM:
    return PrunedLM(model, tokenizer, batch_tokens=1024, seed=seed, warn=warn)


def texts(lm: PrunedLM, contexts: list[str] = CONTEXTS, **kwargs: Any) -> list[str]:
    arguments: dict[str, Any] = {"until": [], "max_gen_toks": 24, "do_sample": True, "temperature": 1.0} | kwargs
    return lm.generate_until(
        [
            Instance(request_type="generate_until", doc={}, arguments=(context, arguments), idx=index)
            for index, context in enumerate(contexts)
        ]
    )


@pytest.mark.parametrize("kwargs", [{"temperature": 1e-4}, {"top_k": 1}], ids=["cold", "one token to choose from"])
def test_sampling_that_leaves_no_choice_is_greedy(kwargs: dict[str, Any], model: Any, tokenizer: Any) -> None:
    lm = lm_of(model, tokenizer)
    assert texts(lm, **kwargs) == texts(lm, do_sample=False, temperature=0.0)


@pytest.mark.slow
def test_a_seed_gives_the_same_texts_however_many_run_at_a_time(
    model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts = [context for context in CONTEXTS for _ in range(3)]
    made = texts(lm_of(model, tokenizer), contexts)
    assert len(set(made)) > len(CONTEXTS), "equal contexts are drawn for separately"
    assert texts(lm_of(model, tokenizer), contexts) == made
    for slots in (5, 1):
        monkeypatch.setattr(generator, "CPU_SEQUENCES", slots)
        assert texts(lm_of(model, tokenizer), contexts) == made
    assert texts(lm_of(model, tokenizer, seed=1), contexts) != made


def test_a_stop_string_cuts_the_text_that_would_have_come(model: Any, tokenizer: Any) -> None:
    lm = lm_of(model, tokenizer)
    whole = texts(lm, max_gen_toks=60)
    stop = Counter(word for text in whole for word in text.split()).most_common(1)[0][0]
    assert texts(lm, max_gen_toks=60, until=[stop]) == [text.split(stop)[0] for text in whole]


def test_fewer_tokens_are_the_beginning_of_more(model: Any, tokenizer: Any) -> None:
    lm = lm_of(model, tokenizer)
    for short, long in zip(texts(lm, max_gen_toks=5), texts(lm, max_gen_toks=60), strict=True):
        assert long.startswith(short)
        assert len(tokenizer(short, add_special_tokens=False)["input_ids"]) <= 5 + 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"num_beams": 2}, "beam search"),
        ({"min_new_tokens": 3}, "MinNewTokensLengthLogitsProcessor"),
        ({"encoder_repetition_penalty": 2.0}, "EncoderRepetitionPenaltyLogitsProcessor"),
        ({"max_length": 30}, "max_length"),
        ({"max_time": 5.0}, "max_time"),
    ],
)
def test_what_only_transformers_does_is_named(options: dict[str, Any], reason: str, model: Any) -> None:
    with pytest.raises(LeftToTransformersError, match=reason):
        sampling_params(model, {"do_sample": False, **options}, seed=0)


def test_taking_the_slow_way_is_said_once(model: Any, tokenizer: Any) -> None:
    said: list[str] = []
    lm = lm_of(model, tokenizer, warn=said.append)
    for _ in range(2):
        assert all(texts(lm, do_sample=False, temperature=0.0, min_new_tokens=3))
    assert len(said) == 1
    assert "slower, because of: MinNewTokensLengthLogitsProcessor" in said[0]


@pytest.mark.parametrize("options", [{"repetition_penalty": 1.8}, {"no_repeat_ngram_size": 1}], ids=str)
def test_a_processor_that_looks_tokens_up_in_the_vocabulary_is_shown_nothing_else(
    options: dict[str, Any], model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier releases of transformers 5 use them as indices, which on a GPU would end the process."""
    shown: list[torch.Tensor] = []
    for processor in (logits_process.RepetitionPenaltyLogitsProcessor, logits_process.NoRepeatNGramLogitsProcessor):
        usual = processor.__call__

        def seen(self: Any, ids: torch.Tensor, scores: torch.Tensor, usual: Any = usual) -> torch.Tensor:
            shown.append(ids.clone())
            return usual(self, ids, scores)

        monkeypatch.setattr(processor, "__call__", seen)
    made = texts(lm_of(model, tokenizer), do_sample=False, temperature=0.0, **options)
    monkeypatch.undo()
    assert shown
    assert all((ids >= 0).all() and (ids < model.config.vocab_size).all() for ids in shown)
    one_by_one = [
        model.generate(
            **tokenizer(context, return_tensors="pt", return_token_type_ids=False),
            do_sample=False, max_new_tokens=24, **options,
        )[0]
        for context in CONTEXTS
    ]  # fmt: skip
    assert made == [
        tokenizer.decode(tokens[len(tokenizer(context)["input_ids"]) :], skip_special_tokens=True)
        for context, tokens in zip(CONTEXTS, one_by_one, strict=True)
    ]


def test_sampling_without_a_temperature_is_refused_as_by_transformers(model: Any) -> None:
    with pytest.raises(ValueError, match="temperature"):
        sampling_params(model, {"do_sample": True, "temperature": 0.0}, seed=0)
