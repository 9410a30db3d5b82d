"""Where a text may be cut so that its parts, tokenised apart, give the tokens of the whole.

A cut is made between an ASCII letter and a single space that another ASCII letter follows. It is safe if nothing in the
tokenizer's pipeline looks across it: no added token lies there, no normalisation joins what stands on its two sides,
and the pre-tokenizer ends a word there in any case. Of a pre-tokenizer that is a regular expression the last holds if

- no alternative can go on from a letter to a space, so that no match crosses the cut,
- it looks neither behind a match nor ahead, except that a single character which is no space must not follow: so a
  match before the cut is the same whether the text goes on or ends there,
- each letter is matched by itself, so that no unmatched stretch lies across the cut either.

What is not known to be safe counts as unsafe: such texts are tokenised whole.
"""

from __future__ import annotations

import json
import re
import string
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Regex, pre_tokenizers

_CUT = "[A-Za-z](?= [A-Za-z])"
first_cut = re.compile(_CUT).search
last_cut = re.compile(rf"(?s:.*){_CUT}").match
"""Matches that end at a text's first and last cut; None without any."""

_CHARWISE = frozenset({"NFC", "NFD", "NFKC", "NFKD"})  # a letter and a space are never joined with their neighbours
_BY_WORD = frozenset({"BPE", "WordPiece", "WordLevel", "Unigram"})
_ALWAYS_THE_SAME = frozenset({"ByteLevel", "TemplateProcessing", "RobertaProcessing", "BertProcessing"})
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # ByteLevel's own


def tokens_before(backend: Any) -> list[int] | None:
    """The special tokens that a `tokenizers.Tokenizer` puts before a text; None if texts must not be cut."""
    if not _is_safe(backend):
        return None
    before: list[list[int]] = []
    for probe in ("a", "b c."):
        bare = backend.encode(probe, add_special_tokens=False).ids
        whole = backend.encode(probe, add_special_tokens=True).ids
        if not bare or whole[-len(bare) :] != bare:
            return None
        before.append(whole[: -len(bare)])
    return before[0] if before[0] == before[1] else None


def _is_safe(backend: Any) -> bool:
    pre_tokenizers_ = _steps(backend.pre_tokenizer)
    return (
        backend.truncation is None
        and backend.padding is None
        and type(backend.model).__name__ in _BY_WORD
        and not getattr(backend.model, "dropout", None)
        and all(step["type"] in _CHARWISE for step in _steps(backend.normalizer))
        and all(step["type"] in _ALWAYS_THE_SAME for step in _steps(backend.post_processor))
        and all(_is_clear_of(token) for token in backend.get_added_tokens_decoder().values())
        and any(_expression(step) for step in pre_tokenizers_)
        and all(_ends_words(step) for step in pre_tokenizers_)
    )


def _steps(component: Any) -> list[dict[str, Any]]:
    """A pipeline's component as its serialisation, a sequence step by step."""
    waiting = [] if component is None else [json.loads(component.__getstate__())]
    found: list[dict[str, Any]] = []
    while waiting:
        step = waiting.pop(0)
        within = step.get("normalizers") or step.get("pretokenizers") or step.get("processors")
        if step["type"] == "Sequence" and within:
            waiting = [*within, *waiting]
        else:
            found.append(step)
    return found


def _is_clear_of(token: AddedToken) -> bool:
    """Whether an added token can neither lie across a cut nor reach for the space after it."""
    text = token.content
    if re.search("[A-Za-z] | [A-Za-z]", text):
        return False
    at_its_edges = {*text[:1], *text[-1:]}
    reaches = token.lstrip or token.rstrip or token.single_word
    return bool(text) and not (reaches and any(edge in string.ascii_letters or edge.isspace() for edge in at_its_edges))


def _expression(step: dict[str, Any]) -> str | None:
    """The regular expression by which a step of a pre-tokenizer makes words."""
    if step["type"] == "ByteLevel":
        return _GPT2 if step["use_regex"] else None
    return step["pattern"].get("Regex") if step["type"] == "Split" else None


def _ends_words(step: dict[str, Any]) -> bool:
    if step["type"] in ("Digits", "ByteLevel") and _expression(step) is None:
        return True  # letter by letter, and nothing that is a letter or a space is split off
    expression = _expression(step)
    if expression is None:
        return False
    if step["type"] == "Split" and (step["behavior"], step["invert"]) not in (("Isolated", False), ("Removed", True)):
        return False
    return keeps_cuts(expression)


def keeps_cuts(expression: str) -> bool:
    """Whether every cut ends a match of an expression in the syntax of `tokenizers`, as this module's text says."""
    try:
        found = _Reader(expression).alternatives()
    except _UnknownError:
        return False
    return (
        not found.crosses and not found.empty and all(_matches(expression, letter) for letter in string.ascii_letters)
    )


def _matches(expression: str, character: str) -> bool:
    """Whether it matches a text of one character."""
    return not pre_tokenizers.Split(Regex(expression), "removed").pre_tokenize_str(character)


class _UnknownError(Exception):
    """An expression has something in it that is not known to be harmless."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of an expression may match: nothing, something that begins with a space or ends in a letter, or
    something that holds a letter and after it a space. True wherever it is not known to be impossible."""

    empty: bool = False
    begins_with_space: bool = False
    ends_in_letter: bool = False
    crosses: bool = False

    def then(self, other: _Part) -> _Part:
        return _Part(
            self.empty and other.empty,
            self.begins_with_space or (self.empty and other.begins_with_space),
            other.ends_in_letter or (other.empty and self.ends_in_letter),
            self.crosses or other.crosses or (self.ends_in_letter and other.begins_with_space),
        )

    def otherwise(self, other: _Part) -> _Part:
        return _Part(
            self.empty or other.empty,
            self.begins_with_space or other.begins_with_space,
            self.ends_in_letter or other.ends_in_letter,
            self.crosses or other.crosses,
        )


_CLASS = re.compile(r"\[\^?(?:\\[pP]\{\^?\w+\}|\\[^pPbBAzZGkgKRXQE0-9]|&(?!&)|[^\[\]\\&])+\]")
_ESCAPE = re.compile(r"\\[pP]\{\^?\w+\}|\\[sSdDwWrnt]|\\[^\w\s]")
_COUNT = re.compile(r"\{(\d*)(,?)(\d*)\}")


class _Reader:
    def __init__(self, expression: str) -> None:
        self._text = expression
        self._at = 0

    def alternatives(self) -> _Part:
        found = self._whole_choice()
        if self._at != len(self._text):
            raise _UnknownError
        return found

    def _whole_choice(self) -> _Part:
        found = self._one_after_another()
        while self._takes("|"):
            found = found.otherwise(self._one_after_another())
        return found

    def _one_after_another(self) -> _Part:
        found = _Part(empty=True)
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            found = found.then(self._repeated(self._one()))
        return found

    def _repeated(self, part: _Part) -> _Part:
        # Lazy or possessive, counted or not: it may come more than once, wherever it is not said that it may not.
        while self._at < len(self._text):
            if self._takes("?"):
                part = part.otherwise(_Part(empty=True))
            elif self._takes("+"):
                part = part.then(part)
            elif self._takes("*"):
                part = part.then(part).otherwise(_Part(empty=True))
            elif count := _COUNT.match(self._text, self._at):
                self._at = count.end()
                part = part.then(part)
                if not count[1] or int(count[1]) == 0:
                    part = part.otherwise(_Part(empty=True))
            else:
                break
        return part

    def _one(self) -> _Part:
        if self._takes("(?!"):
            refused = self._character()
            if not self._takes(")") or _matches(refused, " "):
                raise _UnknownError
            return _Part(empty=True)
        for opening in ("(?:", "(?i:", "("):
            if self._text.startswith("(?", self._at) and opening == "(":
                raise _UnknownError
            if self._takes(opening):
                found = self._whole_choice()
                if not self._takes(")"):
                    raise _UnknownError
                return found
        character = self._character()
        ends_in_letter = any(_matches(character, letter) for letter in string.ascii_letters)
        return _Part(False, _matches(character, " "), ends_in_letter or character.isalpha())

    def _character(self) -> str:
        """The part of the expression that stands for one character."""
        for form in (_CLASS, _ESCAPE):
            if found := form.match(self._text, self._at):
                self._at = found.end()
                return found[0]
        character = self._text[self._at : self._at + 1]
        if character == "" or (character in "^$[]{}()\\*+?|#&"):
            raise _UnknownError
        self._at += 1
        return character

    def _takes(self, literal: str) -> bool:
        if not self._text.startswith(literal, self._at):
            return False
        self._at += len(literal)
        return True
