"""The README.md of a saved checkpoint."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import torch
from huggingface_hub import ModelCardData

from engine.planning.methods import find_method
from engine.pruning.accounting import ModelShape
from engine.pruning.base_card import BaseCard
from engine.pruning.calibration import Calibration
from engine.pruning.card_results import CardResults
from engine.pruning.repair import LEAST_SQUARES
from warehouse.exporters.markdown import code, escape
from warehouse.records.level import Level
from warehouse.redaction import redacted


def model_card(
    *,
    base_model: str,
    on_hub: bool,
    revision: str | None,
    shape: ModelShape,
    level: Level,
    intermediate_size: int,
    stored_size: int,
    method: str,
    seed: int,
    dtype: torch.dtype,
    folder_name: str,
    results: CardResults | None,
    base_card: BaseCard,
    gguf: str | None = None,
    repair: str = "none",
    calibration: Calibration | None = None,
) -> str:
    """Markdown with the hub's front matter. `results` are the model's, if there are any, `gguf` is the file's name."""
    full, kept, stored = shape.intermediate_size, intermediate_size, stored_size
    index = results.model_index() if results else []
    front = ModelCardData(
        base_model=base_model if on_hub else None,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["pruning", "width-pruning", "glu", "prune-tui", *(["gguf"] if gguf else [])],
        license=base_card.licence,
        license_name=base_card.licence_name,
        license_link=base_card.licence_link,
        language=base_card.language,
        model_name=folder_name if index else None,
        eval_results=index or None,
    )
    origin = code(base_model) + (f" at revision {code(revision)}" if revision else "")
    quoted = json.dumps(folder_name)
    declared = find_method(method).declared
    drawn = f", seed {seed}" if declared.uses_seed else ""
    rows = [
        ("intermediate_size", f"{full}", f"{kept}"),
        ("expansion ratio", f"{shape.expansion_ratio(full):.3g}", f"{shape.expansion_ratio(kept):.3g}"),
        ("parameters", f"{shape.parameters:,}", f"{shape.parameters_at(kept):,}"),
        ("bytes", f"{shape.bytes_at(full, dtype.itemsize):,}", f"{shape.bytes_at(kept, dtype.itemsize):,}"),
    ]
    if stored > kept:
        rows[1:1] = [("stored width", f"{full}", f"{stored}")]
        rows[-1] = ("bytes as stored", rows[-1][1], f"{shape.bytes_at(stored, dtype.itemsize):,}")
    table = "\n".join(f"| {name} | {before} | {after} |" for name, before, after in rows)
    parts = [
        f"---\n{front.to_yaml()}\n---",
        f"# {escape(folder_name)}",
        f"{origin} with narrower MLPs: each of its {shape.num_hidden_layers} layers keeps {kept} of {full} GLU "
        f"neurons ({level.pruning_pct(full, kept):g} % removed), those with the highest {declared.title} "
        f"({method.upper()}, {declared.formula}){drawn}. "
        f"Kept neurons are in their original order; {_made_up(repair)}nothing was trained afterwards."
        f"{_looked_at(calibration)}{_padded(kept, stored)}",
        f"| | base | this |\n|---|---:|---:|\n{table}",
        "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f"model = AutoModelForCausalLM.from_pretrained({quoted})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({quoted})\n```",
    ]
    if gguf:
        parts.append(f"{code(gguf)} holds the same for llama.cpp, in one file.")
    if results:
        parts.append(f"## What it gained and lost\n\n{results.table.strip()}")
    cited = f" The method: {declared.citation}." if declared.citation else ""
    parts.append(f"Made with prune-tui {version('prune-tui')}.{cited}")
    return redacted("\n\n".join(parts) + "\n")


def _padded(kept: int, stored: int) -> str:
    if stored == kept:
        return ""
    return (
        f" Its tensors are {stored} neurons wide (`intermediate_size` in config.json; `exact_intermediate_size` is "
        f"{kept}): {stored - kept} neurons of zeros were added in each layer, which compute nothing."
    )


def _made_up(repair: str) -> str:
    if repair != LEAST_SQUARES:
        return ""
    return "`down_proj` is fitted by least squares to what the unpruned layer put out, and "


def _looked_at(calibration: Calibration | None) -> str:
    """On which text neurons were looked at."""
    if calibration is None:
        return ""
    source = {"self": f"text that the unpruned model wrote itself (seed {calibration.seed})"}.get(
        calibration.source, code(Path(calibration.source).name)
    )
    return (
        f" What neurons do was looked at on {calibration.count:,} tokens of {source}, in sequences of up to "
        f"{calibration.length:,}; sha256 of the token ids {code(calibration.hash)}."
    )
