"""The card of a saved checkpoint: names in it are other people's text."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from huggingface_hub import ModelCard
from transformers import LlamaConfig

from engine.pruning.accounting import ModelShape
from engine.pruning.base_card import BaseCard
from engine.pruning.model_card import model_card
from warehouse.records.level import Level

HOSTILE = 'a`b"\n---\n<img src=x onerror=alert(1)>\n# [x](javascript:1)'


def test_names_stay_text_in_a_model_card(tmp_path: Path) -> None:
    shape = ModelShape.of(LlamaConfig(hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2))
    text = model_card(
        base_model=HOSTILE,
        on_hub=True,
        revision="`main`",
        shape=shape,
        level=Level.parse("50"),
        intermediate_size=8,
        stored_size=8,
        method="maw",
        seed=0,
        dtype=torch.float32,
        folder_name=HOSTILE,
        results=None,
        base_card=BaseCard(),
    )
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert ModelCard.load(tmp_path / "README.md").data.get("base_model") == HOSTILE
    lines = text.splitlines()
    assert lines.count("---") == 2
    assert [line for line in lines if line.startswith("# ")] == [
        r'# a\`b" --- \<img src=x onerror=alert(1)\> \# \[x\](javascript:1)'
    ]
    assert '`` a`b" --- <img' in text  # as code, within longer backticks
    assert "at revision `` `main` ``" in text
    assert f"AutoTokenizer.from_pretrained({json.dumps(HOSTILE)})" in text
