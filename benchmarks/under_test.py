"""A model under test: loaded, with held-out text that it is judged on, and a calibration text for each seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.demo_model.corpus import documents
from benchmarks.judge import Judge
from engine.calibration.calibrating import calibrate
from engine.calibration.own_text import own_text
from engine.evaluation.lm import PrunedLM
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_amount import CalibrationAmount
from engine.pruning.calibration import Calibration
from engine.pruning.loading import Checkpoint, inspect, load_model, resolve_device, resolve_dtype
from warehouse.records.level import parse_levels

HELD_OUT_SEED = 990_001  # of the demo model's corpus; its shards of training have small numbers


@dataclass(frozen=True, slots=True)
class UnderTest:
    """`sequences` are held out, `levels` are widths by level, `calibrated` are texts by seed."""

    found: Checkpoint
    dtype: torch.dtype
    lm: PrunedLM
    sequences: list[list[int]]
    judge: Judge
    levels: dict[str, int]
    calibrated: dict[int, Calibration]

    @classmethod
    def of(cls, asked: Any) -> UnderTest:
        found, dtype, lm = loaded(asked)
        sequences = held_out_text(asked.model, asked.text, lm, asked.tokens, asked.length)
        seeds = [int(seed) for seed in asked.seeds.split(",")]
        return cls(
            found=found,
            dtype=dtype,
            lm=lm,
            sequences=sequences,
            judge=Judge(lm.model, sequences),
            levels={str(level): found.shape.width(level, None) for level in parse_levels(asked.levels)},
            calibrated={seed: calibration(lm, asked, seed) for seed in seeds},
        )


def loaded(asked: Any) -> tuple[Checkpoint, torch.dtype, PrunedLM]:
    found = inspect(asked.model)
    device = resolve_device(asked.device)
    dtype = resolve_dtype(asked.dtype, found.config, device)
    return found, dtype, PrunedLM(*load_model(found.source, dtype=dtype, device=device))


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
