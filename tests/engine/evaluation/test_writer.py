"""Generated texts are lm-eval's own, whichever way they are made: with tokens among the stop strings, several
end tokens, end tokens that the tokenizer shows, and none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from cases import one_in
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from engine.demo.paths import MODEL_DIR
from engine.evaluation import lm as lm_module
from engine.evaluation.ending import Ending, Pieces
from engine.evaluation.lm import PrunedLM
from engine.inference.decode.generator import Generator
from engine.inference.probing import Findings

TEXTS = [
    "The cat sat on the mat. It was a cold day, and Anna had tea!\n",
    "Q: What is 10 plus 55?\nA: It is 65.\n\nQ: And then? A: Nothing.\n",
    "Ein Bär aß Käse — 熊 🐻, très bien; été\n",
] * 3
CHAT = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet))  # type: ignore
    return tokenizer


def byte_fallback() -> Tokenizer:
    """As Llama 2's: a newline is a byte, and beside part of a character all bytes read as unknown."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()  # type: ignore[assignment]
    tokenizer.decoder = decoders.Sequence(  # type: ignore[assignment]
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokens = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    ascii_only = ["".join(c for c in text if c.isascii() and c != "\n") for text in TEXTS]
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=tokens)  # type: ignore[call-arg]
    tokenizer.train_from_iterator(ascii_only, trainer)
    # Trained as added tokens, bytes would be no bytes when a text is decoded.
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] == "<unk>"]
    return Tokenizer.from_str(json.dumps(content))


def word_pieces() -> Tokenizer:
    """Whose decoded text is not its tokens' texts one after the other."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # type: ignore[assignment]
    tokenizer.decoder = decoders.WordPiece()  # type: ignore[assignment]
    trainer = trainers.WordPieceTrainer(vocab_size=260, special_tokens=["[UNK]"])  # type: ignore[call-arg]
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def chat(backend: Tokenizer, *, eos: str, shown: bool) -> Any:
    """With ChatML's tokens; `shown`: not special, so that they stay in a text."""
    backend.add_tokens([AddedToken(token, special=not shown, normalized=False) for token in CHAT])
    named = {} if shown else {"bos_token": "<|im_start|>", "pad_token": "<|endoftext|>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=eos, **named)


TOKENIZERS: dict[str, Callable[[], Any]] = {
    "byte-level": lambda: chat(byte_level(), eos="<|endoftext|>", shown=False),
    "byte fallback": lambda: chat(byte_fallback(), eos="<|im_end|>", shown=False),
    "word pieces": lambda: chat(word_pieces(), eos="<|im_end|>", shown=False),
    "tokens that are shown": lambda: chat(byte_level(), eos="<|endoftext|>", shown=True),
}
UNTIL: list[Any] = [
    ["\n"], ["<|im_end|>"], [""], ["<|im_end|> the", ".", "<|im_start|>"], [], "a", ["Q:", "\n\n"], [" the", "é"],
]  # fmt: skip
ENDS: list[Any] = [None, "<|im_end|>", ["<|endoftext|>", "<|im_start|>", "a"]]


def model_for(tokenizer: Any, eos: Any) -> Any:
    """A model that writes chat tokens and newlines often, and ends as its generation config says."""
    torch.manual_seed(1)
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    config = LlamaConfig(
        vocab_size=len(tokenizer) + 3, max_position_embeddings=128, initializer_range=0.3, eos_token_id=None, **sizes
    )
    model = LlamaForCausalLM(config).eval()
    often = tokenizer.convert_tokens_to_ids(CHAT) + tokenizer("a\n. the", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        model.lm_head.weight[often] *= 2
    names = [eos] if isinstance(eos, str) else eos or []
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(names) or None
    return model


def requests(count: int, seed: int) -> list[Instance]:
    rng = np.random.default_rng(seed)
    words = " ".join(TEXTS).split(" ")
    prompts = [" ".join(rng.choice(words, rng.integers(1, 20))) for _ in range(count)]
    return [
        Instance("generate_until", {}, (prompt, {"until": UNTIL[at % len(UNTIL)], "max_gen_toks": 24}), at)
        for at, prompt in enumerate(prompts)
    ]


def by_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm_module, "probe_trees", lambda *given: Findings("Said by a test"))


def ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: ends are seen when more tokens are on their way."""
    usual = Generator.__init__

    def init(self: Generator, *given: Any) -> None:
        usual(self, *given)
        self._runs_ahead, self._chunk, self._max_slots = True, 16, 5

    monkeypatch.setattr(Generator, "__init__", init)


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "own": lambda monkeypatch: None,
    "running ahead": ahead,
    "transformers'": by_transformers,
}


def texts(model: Any, tokenizer: Any, asked: list[Instance]) -> list[str]:
    return PrunedLM(model, tokenizer, batch_tokens=512, warn=lambda message: None).generate_until(asked)


def check(kind: str, eos: Any, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = TOKENIZERS[kind]()
    model = model_for(tokenizer, eos)
    asked = requests(count, seed=len(kind))
    hflm: Any = get_model("hf")
    expected = hflm(pretrained=model, tokenizer=tokenizer, batch_size=1).generate_until(asked, disable_tqdm=True)
    assert len(set(map(len, expected))) > min(5, count // 3), "they end in many places"
    for name, way in WAYS.items():
        with monkeypatch.context() as patched:
            way(patched)
            assert texts(model, tokenizer, asked) == expected, name


@pytest.mark.parametrize("kind", one_in(2, TOKENIZERS))
def test_some_texts_end_as_lm_evals_do(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(kind, ENDS[len(kind) % 3], 8, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("eos", ENDS, ids=["no end token", "one", "several"])
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_texts_end_as_lm_evals_do_with_each_end_token(kind: str, eos: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    check(kind, eos, 8 * len(UNTIL), monkeypatch)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_an_end_is_found_where_it_is_first_seen_in_the_last_tokens(kind: str) -> None:
    """Whatever tokens come, and however few at a time."""
    tokenizer = TOKENIZERS[kind]()
    pieces = Pieces(tokenizer, plain=True)
    rng = np.random.default_rng(0)
    for until in (["\n"], ["<|im_end|>", "e "], ["的", ". "], ["熊", "a\n"]):
        ending = Ending(pieces, tokenizer, until, eos=[7])
        sizes = {stop: len(tokenizer.encode(stop, add_special_tokens=False)) + 2 for stop in until}
        for _ in range(40):
            tokens = rng.integers(0, len(tokenizer), 40).tolist()
            expected = None
            for end in range(1, len(tokens) + 1):
                seen = [stop in tokenizer.decode(tokens[max(0, end - size) : end]) for stop, size in sizes.items()]
                if tokens[end - 1] == 7 or any(seen):
                    expected = end
                    break
            assert ending(tokens) == expected
            found = None
            for end in range(3, len(tokens) + 3, 3):
                found = found or ending(tokens[:end], end - 3)
            assert found == expected


def test_the_tokenizers_end_token_ends_a_text_that_the_models_config_does_not() -> None:
    """A model whose generation config names another end token than its tokenizer: lm-eval has both."""
    tokenizer: Any = AutoTokenizer.from_pretrained(MODEL_DIR)
    model: Any = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = 0
    turns = [[{"role": "user", "content": f"What is {10 + at} plus {55 - at}?"}] for at in range(4)]
    kwargs = {"until": ["Q:"], "do_sample": False, "max_gen_toks": 40}
    prompts = [tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True) for turn in turns]
    found = texts(model, tokenizer, [Instance("generate_until", {}, (text, kwargs), 0) for text in prompts])
    assert [text.split()[-1].strip(".") for text in found] == ["65"] * 4
    assert all(len(text) < 12 for text in found), found


def test_a_tokenizer_without_an_end_token_stops_at_strings_only() -> None:
    """lm-eval's hf cannot generate with one; transformers can."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_level())
    model = model_for(TOKENIZERS["byte-level"](), None)
    asked = requests(4, seed=0)
    found = texts(model, tokenizer, asked)
    for instance, text in zip(asked, found, strict=True):
        tokens = tokenizer(instance.args[0], return_tensors="pt")["input_ids"]
        made = model.generate(tokens, max_new_tokens=24, do_sample=False)[0, tokens.shape[1] :].tolist()
        assert str(tokenizer.decode(made, skip_special_tokens=True)).startswith(text)
