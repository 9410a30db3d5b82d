"""llama.cpp is asked as transformers is: the same token ids in, and out what the dequantised file says, nearly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lm_eval.api.instance import Instance
from tiny_families import make_family
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation.llama_cpp_lm import LlamaCppLM
from engine.evaluation.lm import PrunedLM
from engine.inference.llama_cpp import LlamaCpp
from engine.pruning.gguf_file import reading, writing

pytest.importorskip("gguf")
pytest.importorskip("cyllama")

OPTIONS = {"until": ["."], "max_gen_toks": 12}


def asked(kind: str, *arguments: Any) -> Instance:
    return Instance(kind, {}, arguments, 0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[LlamaCppLM, Any]:
    """A tiny Qwen's f16 file as llama.cpp has it, and the model that it was written from."""
    model, tokenizer = make_family("qwen2")
    path = tmp_path_factory.mktemp("tiny") / "model.gguf"
    writing.write(path, model, tokenizer, "f16", writing.About(name="tiny"))
    return LlamaCppLM(path, model.config, tokenizer, dtype=torch.float32), model


def by_transformers(model: Any, tokens: tuple[np.ndarray, np.ndarray]) -> tuple[float, bool]:
    """Log-likelihood of a continuation and whether it is the likeliest, from the whole sequence's logits."""
    whole = torch.tensor(np.concatenate(tokens).astype(np.int64))[None]
    rows = model(whole).logits[0, len(tokens[0]) - 1 : -1]
    targets = whole[0, len(tokens[0]) :]
    likely = rows.log_softmax(-1).gather(-1, targets[:, None])
    return float(likely.sum()), bool((rows.argmax(-1) == targets).all())


def test_log_likelihoods_are_those_of_the_weights(tiny: tuple[LlamaCppLM, Any]) -> None:
    native, model = tiny
    contexts = ("The dog went", "The dog went home. The cat")
    questions = [
        asked("loglikelihood", context, text) for context in contexts for text in (" in", " to the house", "!")
    ]
    found = native.loglikelihood(questions)
    for question, (value, greedy) in zip(questions, found, strict=True):
        reference, likeliest = by_transformers(model, native.tokens_of(question))  # type: ignore[arg-type]
        assert value == pytest.approx(reference, rel=5e-3)
        assert value != reference  # it is llama.cpp that computed
        assert greedy == likeliest
    native.clear_cache()
    backwards = native.loglikelihood(questions[::-1])[::-1]  # what is shared with the one before is not computed again
    assert [one[0] for one in backwards] == pytest.approx([one[0] for one in found], rel=1e-3)


def test_texts_are_greedy_or_drawn_from_its_logits(tiny: tuple[LlamaCppLM, Any]) -> None:
    native, model = tiny
    prompt = asked("generate_until", "The dog went", {"until": [], "max_gen_toks": 6})
    ids = torch.tensor(native.tokens_of(prompt)[0].astype(np.int64))[None]
    made = model.generate(ids, max_new_tokens=6, do_sample=False, attention_mask=torch.ones_like(ids))
    [text] = native.generate_until([prompt])
    assert text == native.tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
    drawn = [asked("generate_until", "The dog went", OPTIONS | {"do_sample": True, "temperature": 2.0})]
    assert native.generate_until(drawn) == native.generate_until(drawn)
    with pytest.raises(UserError, match="this task's options search or score whole texts"):
        native.generate_until([asked("generate_until", "The dog went", OPTIONS | {"num_beams": 2})])


def test_a_file_of_another_model_is_refused(tmp_path: Path) -> None:
    model, tokenizer = make_family("qwen2")
    writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
    model.config.rms_norm_eps = 1e-3
    with pytest.raises(UserError, match="are not of one model"):
        LlamaCppLM(tmp_path / "model.gguf", model.config, tokenizer, dtype=torch.float32)


@pytest.mark.slow
def test_shared_beginnings_give_what_the_whole_gives_where_a_window_has_moved_on(tmp_path: Path) -> None:
    model, tokenizer = make_family("gemma2")
    writing.write(tmp_path / "model.gguf", model, tokenizer, "f16", writing.About(name="tiny"))
    first, second = np.array([1, *range(5, 45)]), np.array([1, *range(5, 25), *range(60, 75)])
    native = LlamaCpp(tmp_path / "model.gguf")
    list(native.logits(first))
    after = np.stack(list(native.logits(second, 21)))
    alone = np.stack(list(LlamaCpp(tmp_path / "model.gguf").logits(second, 21)))
    assert np.abs(after - alone).max() < 2e-2 * alone.std()
    for dtype in (torch.float16, torch.bfloat16):  # what keys and values are kept in
        rounded = np.stack(list(LlamaCpp(tmp_path / "model.gguf", dtype=dtype).logits(second, 21)))
        assert 0 < np.abs(rounded - alone).max() < 0.1 * alone.std()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "near", "rolling"),
    # Of a log-likelihood, a token, and of 842 tokens' sum: llama.cpp rounds what goes into a layer to f16, and beside
    # q8_0 to blocks of 8 bits.
    [("f16", 0.005, 1e-4), ("q8_0", 0.2, 5e-3)],
)
def test_the_demo_says_in_llama_cpp_what_it_says_dequantised(
    tmp_path: Path, kind: str, near: float, rolling: float
) -> None:
    path, tokenizer = tmp_path / "model.gguf", AutoTokenizer.from_pretrained(MODEL_DIR)
    model = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32)
    writing.write(path, model, tokenizer, kind, writing.About(name="demo"))
    dequantised, _ = reading.load(path, model.config, tokenizer, torch.float32)
    native = LlamaCppLM(path, model.config, tokenizer, dtype=torch.float32)
    reference = PrunedLM(dequantised.eval(), tokenizer, batch_tokens=2048)
    texts = (" in the forest", " to the old house near the river", " and", " was very happy because the sun was warm")
    contexts = ("The dog went", "Once upon a time there was a girl. The dog went", "The cat")
    questions = [asked("loglikelihood", context, text) for context in contexts for text in texts]
    lengths = [len(native.tokens_of(one)[1]) for one in questions]
    both = native.loglikelihood(questions), reference.loglikelihood(questions)
    for mine, theirs, length in zip(*both, lengths, strict=True):
        assert mine[0] == pytest.approx(theirs[0], abs=near * length)
        assert mine[1] == theirs[1]
    whole = [asked("loglikelihood_rolling", "Once upon a time there was a girl who had a red ball. " * 40)]
    assert native.loglikelihood_rolling(whole) == pytest.approx(reference.loglikelihood_rolling(whole), rel=rolling)
    if kind == "f16":
        prompts = [asked("generate_until", text, OPTIONS) for text in ("Once upon a time", "The cat and the dog")]
        assert native.generate_until(prompts) == reference.generate_until(prompts)
