"""A tokenizer may be cut only where it makes no token across; what is not known to be safe is not."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors

from engine.demo.paths import MODEL_DIR
from engine.evaluation.cutting import first_cut, keeps_cuts, last_cut, tokens_before

LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASES = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
SMALL = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
OF_MODELS = {
    "llama 3": rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|{LETTERS}|\p{{N}}{{1,3}}|{REST}",
    "qwen": rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|{LETTERS}|\p{{N}}|{REST}",
    "gpt 4": rf"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{{L}}\p{{N}}]?+\p{{L}}++|\p{{N}}{{1,3}}+|{REST}",
    "gpt 4o": rf"[^\r\n\p{{L}}\p{{N}}]?{CASES}*{SMALL}+(?i:'s|'t)?|{LETTERS}|\p{{N}}{{1,3}}|{REST}",
}
ACROSS = {
    "a space ends a word": r"\w+ ?|\s+|.",
    "two words": r"\p{L}+ \p{L}+|\p{L}|\s",
    "a whole line": r"[^\n]+|\n",
    "anything, in a group": r"(?:\w|\s)+",
    "looks ahead": r"\w+(?= )|\w|\s",
    "a space must not follow": r"\w+(?! )|\w|\s",
    "looks behind": r"(?<= )\w|\w|\s",
    "an edge of a word": r"\b\w+|\s",
    "a letter that nothing matches": r"[a-y]+|\s",
    "the end of the text": r"\w+$|\w|\s",
    "nothing at all": r"\w*|\s",
}


def demo() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))


def changed(change: Any) -> Tokenizer:
    tokenizer = demo()
    change(tokenizer)
    return tokenizer


@pytest.mark.parametrize("expression", OF_MODELS.values(), ids=list(OF_MODELS))
def test_the_expressions_of_usual_tokenizers_end_a_word_at_every_cut(expression: str) -> None:
    assert keeps_cuts(expression)
    words = pre_tokenizers.Split(Regex(expression), "isolated").pre_tokenize_str
    for text in ("Anna likes tea", "it's so\n\n  Ben\tis a b", "été là x y 12 a1 b"):
        at = last_cut(text).end()  # pyright: ignore[reportOptionalMemberAccess]
        parts = [word for part in (text[:at], text[at:]) for word, _ in words(part)]
        assert parts == [word for word, _ in words(text)]


@pytest.mark.parametrize("expression", ACROSS.values(), ids=list(ACROSS))
def test_an_expression_that_may_go_or_look_across_is_found_out(expression: str) -> None:
    assert not keeps_cuts(expression)


def test_the_demos_tokenizer_puts_one_token_before_a_text() -> None:
    assert tokens_before(demo()) == [1]


UNSAFE: dict[str, Any] = {
    "an added token across": lambda t: t.add_tokens(["likes tea"]),
    "an added token that takes the space after it": lambda t: t.add_tokens([AddedToken("likes", rstrip=True)]),
    "an added token that takes the space before it": lambda t: t.add_tokens([AddedToken("tea", lstrip=True)]),
    "a space put before each text": lambda t: setattr(t, "normalizer", normalizers.Prepend("▁")),
    "spaces that become something else": lambda t: setattr(t, "normalizer", normalizers.Replace(" ", "▁")),
    "no words": lambda t: setattr(t, "pre_tokenizer", pre_tokenizers.Digits()),
    "words of another kind": lambda t: setattr(t, "pre_tokenizer", pre_tokenizers.Metaspace()),
    "chance": lambda t: setattr(t.model, "dropout", 0.1),
    "a token after each text": lambda t: setattr(
        t, "post_processor", processors.TemplateProcessing(single="$A <s>", special_tokens=[("<s>", 1)])
    ),
}


@pytest.mark.parametrize("change", UNSAFE.values(), ids=list(UNSAFE))
def test_where_a_token_may_lie_across_texts_are_not_cut(change: Any) -> None:
    assert tokens_before(changed(change)) is None


SAFE: dict[str, Any] = {
    "an added token without letters at its edges": lambda t: t.add_tokens(
        [AddedToken("<|x|>", lstrip=True, rstrip=True)]
    ),
    "composed characters": lambda t: setattr(t, "normalizer", normalizers.NFC()),
}


@pytest.mark.parametrize("change", SAFE.values(), ids=list(SAFE))
def test_what_cannot_reach_across_does_no_harm(change: Any) -> None:
    assert tokens_before(changed(change)) == [1]


def test_a_cut_lies_between_a_letter_and_a_single_space_before_a_letter() -> None:
    text = "1 a, b c\n\nd  e f? é g"
    first, last = first_cut(text), last_cut(text)
    assert first is not None
    assert last is not None
    assert (text[: first.end()], text[last.end() :]) == ("1 a, b", " f? é g")
    assert first_cut("a, b. c") is last_cut("A: 1\nB: 2") is None
