"""Trains a Llama of about 100 M parameters in a minute or two, and measures what orders and repairs keep of it.

    python -m benchmarks.train_small DATA_DIR OUT_DIR --seconds 90
    python -m benchmarks.train_small DATA_DIR OUT_DIR --measure-only

DATA_DIR holds a folder of Parquet files for each benchmark. Every row is a document; one in fifty is held out, and no
text of it is trained on. The weights that are saved are those of the look where the held-out loss was least, so that
the model has not learnt its text by heart; training ends after so many seconds or epochs, or when it gets worse.
OUT_DIR becomes a checkpoint as transformers loads it, with a byte-level BPE tokenizer of its own, `held_out.txt`,
`training.json`, and `repair.json` and `repair.md`: KL(unpruned ‖ pruned) and perplexity a token on held-out documents,
level by level, calibrated on text that the unpruned model writes itself, once for each seed. Needs torch, transformers,
pyarrow and psutil, and neither lm-eval nor a network.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from benchmarks.judge import Judge, Table, fresh
from benchmarks.own_writing import OwnWriting
from benchmarks.row_texts import trained_and_held_out
from engine.calibration.own_text import own_text
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration
from engine.pruning.ladder import Ladder
from warehouse.records.level import parse_levels

_BEGIN, _END = "<s>", "</s>"
_LOOKS = 30  # at the held-out loss, in the time that there is
_PATIENCE = 5  # looks without anything better
_WAYS = "maw/none,maw-data/none,obs/lsq,obs/none,maw/lsq,maw-data/lsq,wanda/none,wanda/lsq"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=90, help="of training, at most")
    parser.add_argument("--epochs", type=float, default=5, help="at most")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--width", type=int, default=3072)
    parser.add_argument("--vocabulary", type=int, default=16_384)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32, help="sequences of a step")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--ways", default=_WAYS, help="method/repair, by commas")
    parser.add_argument("--levels", default="20,40,60")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--held-out-tokens", type=int, default=32_768, help="that levels are judged on")
    parser.add_argument("--calibration-tokens", type=int)
    parser.add_argument("--measure-only", action="store_true", help="OUT_DIR holds the trained model already")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    start = time.monotonic()
    if not asked.measure_only:
        train_and_save(asked)
    measure(asked)
    print(f"{time.monotonic() - start:.0f} s in all")


def train_and_save(asked: Any) -> None:
    torch.manual_seed(0)
    trained, held_out = trained_and_held_out(asked.data)
    tokenizer = trained_tokenizer(trained, asked.vocabulary)
    pieces = packed(trained, tokenizer, asked.length).to(asked.device)
    judged = packed(held_out, tokenizer, asked.length).to(asked.device)[:256]
    print(f"{len(trained):,} documents, {pieces.numel():,} tokens; held out {len(held_out):,}", flush=True)
    model: Any = made(asked, tokenizer)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{parameters:,} parameters", flush=True)
    best, looks = train(model, pieces, judged, asked)
    model.load_state_dict(best)
    model.to(torch.bfloat16).save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)
    (asked.out / "held_out.txt").write_text("\n\n".join(" ".join(text.split()) for text in held_out), encoding="utf-8")
    about = {"parameters": parameters, "tokens": pieces.numel(), "documents": len(trained), "looks": looks}
    (asked.out / "training.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def trained_tokenizer(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    tokenizer.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[_BEGIN, _END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
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


def train(model: Any, pieces: Tensor, judged: Tensor, asked: Any) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """The best weights by the held-out loss, and what every look found."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=asked.rate, betas=(0.9, 0.95), weight_decay=0.1)
    best, least, worse = copy.deepcopy(model.state_dict()), math.inf, 0
    looks: list[dict[str, float]] = []
    drawn = torch.Generator().manual_seed(0)
    start, step, trained = time.monotonic(), 0, torch.zeros((), device=pieces.device)
    order, at = torch.randperm(len(pieces), generator=drawn), 0
    progress = 0.0
    while progress < 1 and worse < _PATIENCE:
        rate = asked.rate * min(1.0, (step + 1) / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        if at + asked.batch > len(order):
            order, at = torch.randperm(len(pieces), generator=drawn), 0
        batch = pieces[order[at : at + asked.batch].to(pieces.device)]
        at += asked.batch
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        trained = loss.detach() if step == 1 else trained.lerp(loss.detach(), 0.05)
        epochs = step * asked.batch / len(pieces)
        progress = max((time.monotonic() - start) / asked.seconds, epochs / asked.epochs)
        if progress >= min(1.0, (len(looks) + 1) / _LOOKS):
            held = held_out_loss(model, judged)
            looks.append(
                {
                    "step": step,
                    "seconds": round(time.monotonic() - start, 1),
                    "epochs": round(epochs, 2),
                    "training loss": round(float(trained), 4),
                    "held-out loss": round(held, 4),
                }
            )
            print(looks[-1], flush=True)
            worse = 0 if held < least else worse + 1
            if held < least:
                best, least = copy.deepcopy(model.state_dict()), held
    return best, looks


def loss_of(model: Any, batch: Tensor) -> Tensor:
    with torch.autocast(batch.device.type, dtype=torch.bfloat16):
        logits = model(batch, use_cache=False).logits
    return cross_entropy(logits[:, :-1].float().flatten(0, 1), batch[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(model: Any, judged: Tensor) -> float:
    return float(torch.stack([loss_of(model, batch) for batch in judged.split(16)]).mean())


def measure(asked: Any) -> None:
    """Writes repair.json and repair.md, again after each way, so that what is measured is there whatever comes."""
    on_gpu = torch.device(asked.device).type == "cuda"
    dtype = torch.bfloat16 if on_gpu else torch.float32
    tokenizer: Any = AutoTokenizer.from_pretrained(asked.out)
    model: Any = LlamaForCausalLM.from_pretrained(asked.out, dtype=dtype).to(asked.device).eval().requires_grad_(False)
    sequences = judged_sequences(asked, tokenizer)
    judge = Judge(model, sequences)
    full = model.config.intermediate_size
    amount = CalibrationAmount.chosen(
        tokens=asked.calibration_tokens, length=None, on_gpu=on_gpu, own_text=True, intermediate_size=full, context=2048
    )
    writing = OwnWriting.of(model, begin=tokenizer.bos_token_id, end=tokenizer.eos_token_id)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    start, texts = time.monotonic(), {}
    for seed in seeds:
        text = own_text(writing, amount, seed=seed, check=lambda: None)
        texts[seed] = Calibration.of(text, source="self", seed=seed)
    sampling = time.monotonic() - start
    training = json.loads((asked.out / "training.json").read_text(encoding="utf-8"))
    levels = {str(level): round(full * (100 - float(str(level))) / 100) for level in parse_levels(asked.levels)}
    about = {
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "dtype": str(dtype).removeprefix("torch."),
        "perplexity": judge.perplexity,
        "held_out_tokens": sum(len(sequence) - 1 for sequence in sequences),
        "held_out_documents": len(sequences),
        "calibration_tokens": texts[seeds[0]].count,
        "seeds": seeds,
        "seconds of sampling, a seed": round(sampling / len(seeds), 2),
        "widths": levels,
    }
    lines: list[str] = []

    def tell(line: str) -> None:
        print(line, flush=True)
        lines.append(line)

    best = min(training["looks"], key=lambda look: look["held-out loss"])
    tell(
        f"{training['parameters']:,} parameters, trained on {training['tokens']:,} tokens for {best['epochs']} epochs "
        f"({best['seconds']} s) to a held-out loss of {best['held-out loss']}, its least of {len(training['looks'])} "
        f"looks (the last {training['looks'][-1]['held-out loss']}); training loss there {best['training loss']}. "
        f"{about['device']}, {about['dtype']}, width {full}, unpruned perplexity {judge.perplexity:.2f} on "
        f"{about['held_out_tokens']:,} tokens in {len(sequences):,} held-out documents; calibrated on "
        f"{about['calibration_tokens']:,} tokens of its own, {about['seconds of sampling, a seed']} s to write; seeds "
        f"{asked.seeds}: median KL, its range, median perplexity.\n"
    )
    table = Table(list(levels), tell)

    def keep() -> None:
        found = {"about": about, "training": training, "measured": table.measured}
        (asked.out / "repair.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        (asked.out / "repair.md").write_text("\n".join(lines) + "\n", encoding="utf-8")

    for way in asked.ways.split(","):
        method, _, repair = way.partition("/")
        start, measured = time.monotonic(), []
        for seed in seeds[:1] if way == "maw/none" else seeds:
            own = fresh(model)
            ladder = Ladder(own, method=method, seed=seed, repair=repair, calibration=texts[seed])
            measured.append(judge.levels(own, ladder, levels))
        table.add(f"{method}, {repair}", measured, time.monotonic() - start)
        keep()
    table.summary()
    keep()


def judged_sequences(asked: Any, tokenizer: Any) -> list[list[int]]:
    """The first held-out documents, each begun as a text is and cut at the length that the model was trained on."""
    sequences: list[list[int]] = []
    for text in (asked.out / "held_out.txt").read_text(encoding="utf-8").split("\n\n"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        sequences.append([tokenizer.bos_token_id, *ids][: asked.length])
        if sum(map(len, sequences)) >= asked.held_out_tokens:
            break
    return [sequence for sequence in sequences if len(sequence) > 2]


if __name__ == "__main__":
    main()
