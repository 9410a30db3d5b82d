"""A tokenizer as llama.cpp has it: tokens with their kinds, and merges or scores.

llama.cpp knows two kinds that these families use. Byte-level BPE cuts a text by a regular expression first, which it
knows by a name; SentencePiece's BPE joins whichever neighbours have the highest score. A tokenizer that works otherwise
would load and cut texts otherwise: it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from engine.errors import UserError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)  # as GGUF numbers the kinds of tokens
_SPACE = "▁"

# What comes before merging, as tokenizer.json has it, and whether a whole word that is a token is taken at once: by
# llama.cpp's names.
_LETTERS_UP_TO_THREE_DIGITS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LETTERS_ONE_DIGIT = _LETTERS_UP_TO_THREE_DIGITS.replace("{1,3}", "")
_CASES = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CUTS: dict[tuple[tuple[str, ...], bool], str] = {
    ((f"split {_LETTERS_UP_TO_THREE_DIGITS}", "bytes"), True): "llama-bpe",
    ((f"split {_LETTERS_ONE_DIGIT}", "bytes"), False): "qwen2",
    ((f"split {_CASES}", "bytes"), True): "tekken",
    (("bytes and words",), False): "gpt-2",
    (("digits", "bytes and words"), False): "smollm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """`kinds` has a number for each token; `merges` are of byte-level BPE, `scores` of SentencePiece."""

    model: str
    cut: str
    tokens: Sequence[str]
    kinds: Sequence[int]
    merges: Sequence[str] = ()
    scores: Sequence[float] = ()
    adds_bos: bool
    adds_eos: bool
    space_prefix: bool
    special: dict[str, int]
    chat_template: str | None


def vocabulary(tokenizer: PreTrainedTokenizerBase, rows: int) -> Vocabulary:
    """`rows` are the embeddings there are: tokens beyond have none and are left out, rows without a token get a name.

    Raises:
        UserError: llama.cpp has no tokenizer that works like this one.
    """
    known: Any = tokenizer
    if (backend := getattr(known, "backend_tokenizer", None)) is None:
        raise _refused("it has no tokenizer.json")
    told = json.loads(backend.to_str())
    model = told["model"]
    if model["type"] != "BPE":
        raise _refused(f"it is no BPE but {model['type']}")
    if model.get("dropout") or model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise _refused("its merges are marked or drawn at random")
    merges = [tuple(one.split(" ", 1)) if isinstance(one, str) else tuple(one) for one in model["merges"]]
    by_bytes = not model.get("byte_fallback")
    tokens, kinds = _tokens(told, model["vocab"], rows, by_bytes)
    ids = list(known("a")["input_ids"])
    names = {"bos": known.bos_token_id, "eos": known.eos_token_id, "unknown": known.unk_token_id,
             "padding": known.pad_token_id}  # fmt: skip
    shared: dict[str, Any] = {
        "tokens": tokens,
        "kinds": kinds,
        "adds_bos": known.bos_token_id is not None and ids[0] == known.bos_token_id,
        "adds_eos": known.eos_token_id is not None and ids[-1] == known.eos_token_id,
        "special": {name: id_ for name, id_ in names.items() if id_ is not None and id_ < rows},
        "chat_template": known.chat_template if isinstance(known.chat_template, str) else None,
    }
    if by_bytes:
        cut = _cut(told, bool(model.get("ignore_merges")))
        texts = [" ".join(pair) for pair in merges]
        return Vocabulary(model="gpt2", cut=cut, merges=texts, space_prefix=False, **shared)
    prefix = _space_prefix(told)
    scores = _scores(tokens, merges)
    return Vocabulary(model="llama", cut="default", scores=scores, space_prefix=prefix, **shared)


def _tokens(told: dict[str, Any], vocab: dict[str, int], rows: int, by_bytes: bool) -> tuple[list[str], list[int]]:
    tokens = [f"[PAD{at}]" for at in range(rows)]
    kinds = [UNUSED] * rows
    for token, at in vocab.items():
        if at < rows:
            tokens[at] = token
            is_byte = not by_bytes and re.fullmatch(r"<0x[0-9A-F]{2}>", token) is not None
            kinds[at] = BYTE if is_byte else UNKNOWN if token == told["model"].get("unk_token") else NORMAL
    for added in told["added_tokens"]:
        if (at := added["id"]) < rows and kinds[at] != UNKNOWN:
            kinds[at] = CONTROL if added["special"] else USER_DEFINED
            plain = not by_bytes and not added["special"]
            tokens[at] = added["content"].replace(_SPACE, " ") if plain else added["content"]
    return tokens, kinds


def _scores(tokens: Sequence[str], merges: Sequence[tuple[str, ...]]) -> list[float]:
    """The earlier a token is merged, the higher; what is no merge of others scores 0, as in SentencePiece's files."""
    rank: dict[str, int] = {}
    for pair in merges:
        rank.setdefault("".join(pair), len(rank) + 1)
    return [-float(rank.get(token, 0)) for token in tokens]


def _cut(told: dict[str, Any], whole_words: bool) -> str:
    normal = told.get("normalizer")
    steps = tuple(_steps(told.get("pre_tokenizer")))
    name = _CUTS.get((steps, whole_words))
    if name is None or (normal is not None and not (name == "qwen2" and normal["type"] == "NFC")):
        raise _refused("it cuts texts into words by a rule that is not known")
    return name


def _steps(step: dict[str, Any] | None) -> list[str]:
    match step:
        case {"type": "Sequence", "pretokenizers": parts}:
            return [text for part in parts for text in _steps(part)]
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}:
            return [f"split {pattern}"]
        case {"type": "Digits", "individual_digits": True}:
            return ["digits"]
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": words}:
            return ["bytes and words" if words else "bytes"]
        case _:
            return ["unknown"]


def _space_prefix(told: dict[str, Any]) -> bool:
    """Whether a space comes before the text; spaces are written as ▁ either way."""
    normal, before = told.get("normalizer"), told.get("pre_tokenizer")
    steps = normal["normalizers"] if normal is not None and normal["type"] == "Sequence" else [normal] if normal else []
    written = [step for step in steps if step["type"] == "Replace"]
    prefixed = [step for step in steps if step["type"] == "Prepend"]
    spaces = all(step["pattern"] == {"String": " "} and step["content"] == _SPACE for step in written)
    if len(written) + len(prefixed) != len(steps) or not spaces or any(one["prepend"] != _SPACE for one in prefixed):
        raise _refused("it changes texts before it cuts them")
    match before:
        case None | {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious"} if written:
            return bool(prefixed)
        case {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False} if not steps:
            return scheme != "never"
        case _:
            raise _refused("it cuts texts into words by a rule that is not known")


def _refused(what: str) -> UserError:
    return UserError(
        f"llama.cpp has no tokenizer like this model's: {what}. Leave --gguf out: the checkpoint itself can be saved."
    )
