"""Trains a Llama of about 110 M parameters from benchmark rows, on one GPU in a minute or two.

    python -m benchmarks.train_small DATA_DIR OUT_DIR --seconds 120
    python -m benchmarks.repair OUT_DIR --text OUT_DIR/held_out.txt --device cuda

DATA_DIR holds a folder of Parquet files for each benchmark. Every text column of every row is a document; one document
in fifty is held out and never trained on. The weights that are saved are those of the evaluation where the held-out
loss was least, so that the model has not learnt its text by heart. OUT_DIR is a checkpoint as transformers loads it,
with a byte-level BPE tokenizer of its own, and `held_out.txt`, documents apart by blank lines.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import time
from pathlib import Path
from typing import Any

import polars
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

_BEGIN, _END = "<s>", "</s>"
_SHORTEST = 40  # characters of a document
_HELD_OUT = 50  # one document in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--width", type=int, default=3072)
    parser.add_argument("--vocabulary", type=int, default=16_384)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64, help="sequences of a step")
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    torch.manual_seed(0)
    texts = documents(asked.data)
    held_out, trained = texts[::_HELD_OUT], [text for at, text in enumerate(texts) if at % _HELD_OUT]
    tokenizer = trained_tokenizer(trained, asked.vocabulary)
    pieces = packed(trained, tokenizer, asked.length).to(asked.device)
    judged = packed(held_out, tokenizer, asked.length).to(asked.device)[:256]
    print(f"{len(trained):,} documents, {pieces.numel():,} tokens; held out {len(held_out):,}", flush=True)
    model: Any = made(asked, tokenizer)
    print(f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters", flush=True)
    best, loss, steps = train(model, pieces, judged, asked)
    model.load_state_dict(best)
    model.to(torch.bfloat16).save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)
    (asked.out / "held_out.txt").write_text("\n\n".join(" ".join(text.split()) for text in held_out), encoding="utf-8")
    print(f"saved after step {steps}: held-out loss {loss:.3f}, perplexity {math.exp(loss):.2f}")


def documents(folder: Path) -> list[str]:
    """Texts of all rows, each once, in an order that is drawn."""
    found: dict[str, None] = {}
    for path in sorted(folder.rglob("*.parquet")):
        frame = polars.read_parquet(path)
        for name, dtype in frame.schema.items():
            if dtype == polars.String:
                found |= dict.fromkeys(text for text in frame[name] if text and len(text) >= _SHORTEST)
            elif dtype == polars.List(polars.String):
                joined = frame[name].list.join(" ")
                found |= dict.fromkeys(text for text in joined if text and len(text) >= _SHORTEST)
    texts = list(found)
    if not texts:
        raise SystemExit(f"{folder} holds no Parquet files with text")
    random.Random(0).shuffle(texts)
    return texts


def trained_tokenizer(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[_BEGIN, _END], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts[:60_000], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=_BEGIN, eos_token=_END)


def packed(texts: list[str], tokenizer: Any, length: int) -> Tensor:
    """Documents one behind the other, each between the tokens that begin and end it: int64 [sequences, length]."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    tokens: list[int] = []
    for encoding in tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False):
        tokens += [begin, *encoding.ids, end]
    whole = len(tokens) // length * length
    return torch.tensor(tokens[:whole]).view(-1, length)


def made(asked: Any, tokenizer: Any) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=asked.hidden,
        intermediate_size=asked.width,
        num_hidden_layers=asked.layers,
        num_attention_heads=max(1, asked.hidden // 64),
        num_key_value_heads=max(1, asked.hidden // 64),
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config).to(asked.device)


def train(model: Any, pieces: Tensor, judged: Tensor, asked: Any) -> tuple[dict[str, Tensor], float, int]:
    """The best weights, their held-out loss, and after how many steps they were there."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=asked.rate, betas=(0.9, 0.95), weight_decay=0.1)
    best, least, at = copy.deepcopy(model.state_dict()), math.inf, 0
    drawn = torch.Generator().manual_seed(0)
    start, step, worse = time.monotonic(), 0, 0
    next_look = asked.seconds / 12
    while (spent := time.monotonic() - start) < asked.seconds and worse < 3:
        progress = spent / asked.seconds
        rate = asked.rate * min(1.0, (step + 1) / 50) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = pieces[torch.randint(len(pieces), (asked.batch,), generator=drawn).to(pieces.device)]
        loss_of(model, batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if spent >= next_look:
            next_look += asked.seconds / 12
            held = held_out_loss(model, judged)
            epochs = step * batch.numel() / pieces.numel()
            print(f"step {step}, {spent:.0f} s, {epochs:.1f} epochs: {held:.3f}", flush=True)
            worse = 0 if held < least else worse + 1
            if held < least:
                best, least, at = copy.deepcopy(model.state_dict()), held, step
    if worse < 3 and (held := held_out_loss(model, judged)) < least:
        best, least, at = copy.deepcopy(model.state_dict()), held, step
    return best, least, at


def loss_of(model: Any, batch: Tensor) -> Tensor:
    with torch.autocast(batch.device.type, dtype=torch.bfloat16):
        logits = model(batch, use_cache=False).logits
    return cross_entropy(logits[:, :-1].float().flatten(0, 1), batch[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(model: Any, judged: Tensor) -> float:
    return float(torch.stack([loss_of(model, batch) for batch in judged.split(16)]).mean())


if __name__ == "__main__":
    main()
