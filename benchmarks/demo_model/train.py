"""Trains the demo model and writes it with its tokenizer to a folder, by default the one that ships."""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import torch
from transformers import AutoTokenizer, GenerationConfig, LlamaForCausalLM

from benchmarks.demo_model.corpus import documents
from benchmarks.demo_model.fit import CONTEXT, VOCAB, fit, new_model
from benchmarks.demo_model.probe import Probe
from benchmarks.demo_model.rows import training_rows
from benchmarks.demo_model.tokenizer import save_tokenizer, train_tokenizer
from engine.demo.paths import MODEL_DIR
from warehouse.records.level import parse_levels


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_model.train", description=__doc__)
    parser.add_argument("--to", type=Path, default=MODEL_DIR)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch-rows", type=int, default=128, help=f"rows of {CONTEXT} tokens in a step")
    parser.add_argument("--rows", type=int, default=160_000, help="rows of the corpus")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.5)
    return parser.parse_args()


def save(model: LlamaForCausalLM, folder: Path) -> LlamaForCausalLM:
    """Writes the model in bfloat16 and reads it back, so that what is scored is what ships."""
    model.bfloat16().save_pretrained(folder)
    config = model.config
    GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    ).save_pretrained(folder)
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)


def main() -> None:
    options = _arguments()
    options.to.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    tokenizer = train_tokenizer(itertools.islice(documents(options.seed), 40_000), VOCAB)
    save_tokenizer(tokenizer, options.to, CONTEXT)
    rows = training_rows(tokenizer, options.seed, options.rows, CONTEXT)
    print(f"corpus of {rows.size:,} tokens in {time.perf_counter() - started:.0f} s", flush=True)

    torch.set_float32_matmul_precision("high")
    model = new_model(options.seed).to(options.device)
    print(f"{model.num_parameters():,} parameters on {options.device}", flush=True)
    fit(
        model,
        rows,
        steps=options.steps,
        batch_rows=options.batch_rows,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        seed=options.seed,
    )
    saved = save(model, options.to).eval()  # scored on the CPU: one text at a time, a GPU is no faster
    probe = Probe(AutoTokenizer.from_pretrained(options.to))
    for level in parse_levels("0,10,20,40,60"):
        print(probe.scores(saved, level), flush=True)
    print(f"{time.perf_counter() - started:.0f} s in all", flush=True)


if __name__ == "__main__":
    main()
