"""What orders and repairs keep of a model: KL to the unpruned model and perplexity on held-out text, level by level.

    python -m benchmarks.repair demo --methods maw,maw-data,wanda,flap,obs --repairs none,lsq --seeds 0,1,2
    python -m benchmarks.repair /models/llama --text held-out.txt --device cuda --dtype bfloat16
    python -m benchmarks.repair demo --variants

Each seed is a calibration text that the unpruned model writes itself, or with --calibration a file's. The held-out text
of "demo" is documents of its toy world that no training saw, else --text: documents apart by blank lines, the column
`text` of a Parquet file, or "own", what the unpruned model writes with another seed. `--variants` measures what was
tried beside what the program does: other λ, fits layer by layer on the repaired model's own activations, tokens
weighted. Prints Markdown.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TQDM_DISABLE", "1")

import torch
from torch import Tensor

from benchmarks.demo_model.corpus import documents
from benchmarks.repair_variants import VARIANTS, Variant
from engine.calibration.calibrating import calibrate
from engine.calibration.own_text import own_text
from engine.evaluation.lm import PrunedLM
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration
from engine.pruning.ladder import Ladder
from engine.pruning.loading import inspect, load_model, resolve_device, resolve_dtype
from warehouse.records.level import parse_levels

_AT_ONCE = 16  # sequences of a pass
HELD_OUT_SEED = 990_001  # of the demo model's corpus; its shards of training have small numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--methods", default="random,maw,maw-data,wanda,flap,obs")
    parser.add_argument("--repairs", default="none,lsq")
    parser.add_argument("--levels", default="10,20,30,40,50,60")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--text")
    parser.add_argument("--tokens", type=int, default=8192, help="of held-out text")
    parser.add_argument("--length", type=int, default=256, help="of its sequences, at most")
    parser.add_argument("--calibration", default="self")
    parser.add_argument("--calibration-tokens", type=int)
    parser.add_argument("--calibration-length", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--variants", nargs="?", const="", help="those with this in their name, or all")
    asked = parser.parse_args()
    found = inspect(asked.model)
    device = resolve_device(asked.device)
    dtype = resolve_dtype(asked.dtype, found.config, device)
    model, tokenizer = load_model(found.source, dtype=dtype, device=device)
    lm = PrunedLM(model, tokenizer)
    held_out = held_out_text(asked.model, asked.text, lm, asked.tokens, asked.length)
    judge = Judge(model, held_out)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    levels = {str(level): found.shape.width(level, None) for level in parse_levels(asked.levels)}
    texts = {seed: calibration(lm, asked, seed) for seed in seeds}
    some = texts[seeds[0]]
    tokens = sum(map(len, held_out))
    print(f"{Path(asked.model).name}, {dtype}, width {found.shape.intermediate_size}, unpruned perplexity", end=" ")
    print(
        f"{judge.perplexity:.3f} on {tokens:,} held-out tokens; calibrated on {some.count:,} ({some.source}),", end=" "
    )
    print(f"seeds {asked.seeds}: medians, and the range of KL.\n")
    table = Table(list(levels))
    if asked.variants is not None:
        for name, make in VARIANTS.items():
            if asked.variants not in name:
                continue
            table.add(name, [judge.levels(make(fresh(model), texts[seed], seed), levels) for seed in seeds])
    else:
        for method in asked.methods.split(","):
            for repair in asked.repairs.split(","):
                start = time.perf_counter()
                measured = []
                for seed in seeds:
                    own = fresh(model)
                    ladder = Ladder(own, method=method, seed=seed, repair=repair, calibration=texts[seed])
                    measured.append(judge.levels(Variant(own, ladder), levels))
                table.add(f"{method}, {repair}", measured, time.perf_counter() - start)
    table.summary()


def fresh(model: Any) -> Any:
    return copy.deepcopy(model)


def calibration(lm: PrunedLM, asked: Any, seed: int) -> Calibration:
    made = calibrate(
        CalibrationSource.parse(asked.calibration),
        lm,
        tokens=asked.calibration_tokens,
        length=asked.calibration_length,
        seed=seed,
        find_tasks=lambda name: [],
        say=print,
    )
    return replace(made, seed=seed)


def held_out_text(model: str, named: str | None, lm: PrunedLM, tokens: int, length: int) -> list[list[int]]:
    """Sequences of at most `length` tokens, each beginning as a text does."""
    if named == "own":
        amount = CalibrationAmount(tokens=tokens, length=length, fewest=0)
        return own_text(lm, amount, seed=HELD_OUT_SEED, check=lambda: None)
    sequences: list[list[int]] = []
    for text in texts_of(model, None if named is None else Path(named)):
        sequence = [lm.prefix_token_id or 0, *lm.tok_encode(text, add_special_tokens=False)][:length]
        if len(sequence) > 2:
            sequences.append(sequence)
        if sum(map(len, sequences)) >= tokens:
            break
    return sequences


def texts_of(model: str, path: Path | None) -> Iterator[str]:
    if path is None:
        if model != "demo":
            raise SystemExit("--text names the held-out text of any model but demo")
        yield from documents(HELD_OUT_SEED)
    elif path.suffix == ".parquet":
        import polars

        yield from polars.read_parquet(path)["text"]
    else:
        yield from (text for text in path.read_text(encoding="utf-8").split("\n\n") if text.strip())


class Judge:
    """Compares a model at each width with the unpruned one, token by token of held-out text."""

    def __init__(self, model: Any, sequences: list[list[int]]) -> None:
        ordered = sorted(sequences, key=len)
        self._batches = [_padded(ordered[at : at + _AT_ONCE], model.device) for at in range(0, len(ordered), _AT_ONCE)]
        self._reference = [found.cpu() for _, found in self._log_probabilities(model)]
        self.perplexity = self._score(model)[1]

    @torch.no_grad()
    def _log_probabilities(self, model: Any) -> Iterator[tuple[Tensor, Tensor]]:
        """The tokens that are predicted, and all log-probabilities where they are: [tokens], [tokens, vocab_size]."""
        for tokens, real in self._batches:
            logits = model(tokens, use_cache=False).logits[:, :-1][real[:, 1:]]
            yield tokens[:, 1:][real[:, 1:]], logits.float().log_softmax(-1)

    def by_document(self, model: Any) -> list[tuple[float, float, int]]:
        """Of each sequence, shortest first: KL(unpruned ‖ model) and surprise in nats, and of how many tokens."""
        found = []
        for (_, real), before, (targets, now) in zip(
            self._batches, self._reference, self._log_probabilities(model), strict=True
        ):
            before = before.to(now.device)
            divergences = (before.exp() * (before - now)).sum(1)
            surprises = -now.gather(1, targets[:, None])[:, 0]
            counts = real[:, 1:].sum(1).tolist()
            each = zip(divergences.split(counts), surprises.split(counts), counts, strict=True)
            found += [(float(one.sum()), float(other.sum()), count) for one, other, count in each]
        return found

    def _score(self, model: Any) -> tuple[float, float]:
        """KL(unpruned ‖ model) in nats a token, and perplexity a token."""
        divergences, surprises, counts = zip(*self.by_document(model), strict=True)
        return sum(divergences) / sum(counts), math.exp(sum(surprises) / sum(counts))

    def levels(self, ladder: Any, levels: dict[str, int]) -> list[tuple[float, float]]:
        found = []
        for width in levels.values():
            ladder.set_width(width)
            found.append(self._score(ladder.model))
        return found


def _padded(sequences: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens, and which of them are real; padding stands at the end."""
    tokens = torch.zeros(len(sequences), max(map(len, sequences)), dtype=torch.long)
    real = torch.zeros_like(tokens, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = torch.tensor(sequence)
        real[row, : len(sequence)] = True
    return tokens.to(device), real.to(device)


class Table:
    """Markdown, row by row: median KL, its range over seeds, and median perplexity of each level."""

    def __init__(self, levels: list[str]) -> None:
        self._levels = levels
        self._medians: dict[str, list[float]] = {}
        print("| order, repair |" + "".join(f" {level} % |" for level in levels) + " seconds |")
        print("|---|" + "--:|" * (len(levels) + 1))

    def add(self, name: str, measured: list[list[tuple[float, float]]], seconds: float = 0.0) -> None:
        cells = []
        self._medians[name] = []
        for at in range(len(self._levels)):
            divergences = sorted(seed[at][0] for seed in measured)
            perplexity = statistics.median(seed[at][1] for seed in measured)
            median = statistics.median(divergences)
            self._medians[name].append(median)
            cells.append(f" {median:.4f} ({divergences[0]:.3f}–{divergences[-1]:.3f}), {perplexity:.2f} |")
        print(f"| {name} |" + "".join(cells) + f" {seconds:.1f} |", flush=True)

    def summary(self) -> None:
        """KL of the last row over those of the plain methods that it is held against."""
        ours = self._medians.get("obs, lsq")
        for other in ("maw, none", "maw-data, none"):
            if ours is not None and other in self._medians:
                ratios = [mine / theirs for mine, theirs in zip(ours, self._medians[other], strict=True)]
                print(
                    f"\nobs, lsq over {other}:",
                    ", ".join(f"{level} % {ratio:.3f}" for level, ratio in zip(self._levels, ratios, strict=True)),
                )


if __name__ == "__main__":
    main()
