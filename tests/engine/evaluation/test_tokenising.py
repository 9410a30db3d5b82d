"""Texts tokenised in parts, and on several threads, have the tokens that the tokenizer itself gives them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from lm_eval.api.instance import Instance
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from engine.demo.paths import MODEL_DIR
from engine.evaluation import tokenising
from engine.evaluation.encoding import Encoder

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
ACROSS = r".{1,3}|\n"
PARTS = (
    "Anna",
    " likes",
    " tea",
    "\n\n",
    "\n",
    "  ",
    " ",
    "it's",
    "?",
    " é",
    "é",
    "12",
    "<s>",
    " <|x|>",
    "A:",
    "\t",
    "ſ ",
    "日本",
)


def trained(expression: str) -> Any:
    """A byte-level BPE whose words an expression makes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(  # pyright: ignore[reportAttributeAccessIssue]
        [pre_tokenizers.Split(Regex(expression), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Anna likes tea. Ben likes tea, and it's so. a b"] * 50, trainer)
    tokenizer.add_tokens([AddedToken("<|x|>", lstrip=True, rstrip=True)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>")


TOKENIZERS = {
    "demo": lambda: AutoTokenizer.from_pretrained(MODEL_DIR),
    "llama 3": lambda: trained(LLAMA3),
    "across": lambda: trained(ACROSS),
}


def texts(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    shots = ["".join(draw.choices(PARTS, k=12)) for _ in range(4)]
    return ["\n\n".join([*shots[: draw.randrange(5)], "".join(draw.choices(PARTS, k=8))]) for _ in range(count)]


def asked(strings: list[str]) -> list[Instance]:
    """Each text as the context of two choices, as a text to be scored, and as a prompt."""
    found: list[Instance] = []
    for number, text in enumerate(strings):
        about = ("t", number, 1)
        found += [Instance("loglikelihood", {}, (text, choice), at, about) for at, choice in enumerate((" tea", "a b"))]
        found.append(Instance("loglikelihood_rolling", {}, (text,), 2, about))
        found.append(Instance("generate_until", {}, (text, {"until": ["\n"]}), 3, about))
    return found


def by_the_tokenizer(tokenizer: Any, string: str) -> list[int]:
    special = {"add_special_tokens": False} if string.startswith("<s>") else {}
    return tokenizer(string, **special)["input_ids"]


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("threads", [1, 3])
def test_tokens_are_those_of_the_whole(name: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenising, "_threads", lambda: threads)
    monkeypatch.setattr(tokenising, "_WORTH_A_THREAD", 50)
    tokenizer = TOKENIZERS[name]()
    encoder = Encoder(tokenizer, max_length=4096, vocab_size=10**6)
    instances = asked([text for text in texts(1, 60) if text.strip()])
    encoder.encode(instances)
    for instance in instances:
        arguments: Any = instance.args
        text = arguments[0]
        match instance.request_type:
            case "loglikelihood":
                start = by_the_tokenizer(tokenizer, text.rstrip())
                rest = by_the_tokenizer(tokenizer, text + arguments[1])[len(start) :]
                assert [part.tolist() for part in encoder[instance]] == [start, rest]
            case "generate_until":
                assert encoder[instance].tolist() == by_the_tokenizer(tokenizer, text)
            case _:
                scored = np.concatenate([after for _, after in encoder[instance]])
                assert scored.tolist() == by_the_tokenizer(tokenizer, text)


@pytest.mark.parametrize(("name", "cut"), [("demo", 10), ("llama 3", 10), ("across", 0)])
def test_only_a_tokenizer_that_makes_no_token_across_is_cut(name: str, cut: int) -> None:
    assert tokenising.Tokeniser(TOKENIZERS[name]()).cut("Anna likes tea") == cut


def test_a_cut_that_proves_wrong_is_given_up_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tokenising, "tokens_before", lambda backend: [])
    tokenizer = trained(ACROSS)
    encoder = Encoder(tokenizer, max_length=4096, vocab_size=10**6)
    strings = ("Anna likes tea", "Ben likes it")
    prompts = [Instance("generate_until", {}, (text, {}), 0, ("t", 0, 1)) for text in strings]
    encoder.encode(prompts)
    assert [encoder[prompt].tolist() for prompt in prompts] == [tokenizer(text)["input_ids"] for text in strings]
    assert "tokenised whole" in caplog.text


def test_what_texts_have_in_common_is_tokenised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tokeniser = tokenising.Tokeniser(AutoTokenizer.from_pretrained(MODEL_DIR))
    seen: list[str] = []
    plain = tokeniser._strings
    monkeypatch.setattr(
        tokeniser, "_strings", lambda strings, special: (seen.extend(strings), plain(strings, special))[1]
    )
    shots = "Anna likes tea.\n\nBen likes milk.\n\n"
    whole = [shots + question for question in ("Who likes tea now", "Who drinks milk now")]
    ends = [tokeniser.cut(text) for text in whole]
    tokeniser.batch()(tokenising.Text(text[:end], text[end:], None) for text, end in zip(whole, ends, strict=True))
    assert "".join(seen).count("Anna") == 1
    assert seen.count(" now") == 1


def test_tokens_may_be_asked_for_while_others_are_made() -> None:
    encoder = Encoder(AutoTokenizer.from_pretrained(MODEL_DIR), max_length=4096, vocab_size=10**6)
    parts = [asked([text for text in texts(seed, 40) if text.strip()]) for seed in range(4)]
    alone = Encoder(AutoTokenizer.from_pretrained(MODEL_DIR), max_length=4096, vocab_size=10**6)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(encoder.encode, parts))
    for instance in [instance for part in parts for instance in part]:
        alone.encode([instance])
        assert str(encoder[instance]) == str(alone[instance])


def test_progress_counts_requests() -> None:
    told: list[tuple[int, int]] = []
    encoder = Encoder(AutoTokenizer.from_pretrained(MODEL_DIR), max_length=4096, vocab_size=10**6)
    instances = asked(["Anna likes tea"] * 5)
    encoder.encode(instances, lambda done, total: told.append((done, total)))
    assert told == [(0, 20), (20, 20)]
