"""Which edits make a folder another model, and which do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedModel

from engine.pruning.identity import config_hash, tokenizer_hash


@pytest.fixture
def folder(make_model: Callable[..., PreTrainedModel], save_checkpoint: Callable[..., Path]) -> Path:
    return save_checkpoint(make_model("llama"))


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries, indent=4))


def tokenizer_of(folder: Path) -> str:
    return tokenizer_hash(AutoTokenizer.from_pretrained(folder))


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(transformers_version="4.0"),
        lambda config: config.update(_name_or_path="elsewhere", dtype="float16", torch_dtype="float16"),
        lambda config: config.update(architectures=config["architectures"][::-1]),
        lambda config: [config.update({name: config.pop(name)}) for name in sorted(config)],
    ],
    ids=["version", "name and dtype", "architectures", "order"],
)
def test_what_tells_nothing_of_the_function_leaves_a_config_what_it_was(folder: Path, change: Any) -> None:
    before = config_hash(str(folder), None)
    edit(folder / "config.json", lambda config: config.update(architectures=["A", "B"]))
    before = config_hash(str(folder), None)
    edit(folder / "config.json", change)
    assert config_hash(str(folder), None) == before


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", lambda config: config["rope_parameters"].update(rope_theta=500_000.0)),
        ("config.json", lambda config: config.update(rms_norm_eps=1e-3)),
        ("config.json", lambda config: config.update(hidden_act="gelu")),
        ("config.json", lambda config: config.pop("eos_token_id")),
        ("generation_config.json", lambda config: config.update(eos_token_id=[2, 5])),
    ],
)
def test_what_changes_the_function_makes_it_another(folder: Path, name: str, change: Any) -> None:
    before = config_hash(str(folder), None)
    edit(folder / name, change)
    assert config_hash(str(folder), None) != before


def test_without_a_config_nothing_is_known(tmp_path: Path) -> None:
    assert config_hash(str(tmp_path), None) is None


def test_a_tokenizer_is_the_same_whatever_its_files_look_like_and_whatever_it_was_asked(folder: Path) -> None:
    before = tokenizer_of(folder)
    edit(folder / "tokenizer.json", lambda entries: None)  # other spaces
    edit(folder / "tokenizer_config.json", lambda config: config.update(chat_template="{{ messages }}"))
    used = AutoTokenizer.from_pretrained(folder)
    used(["A B", "A"], padding=True, truncation=True, max_length=1)
    assert tokenizer_hash(used) == tokenizer_of(folder) == before


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tokenizer.json", lambda entries: entries["model"]["vocab"].update(A=5, B=4)),
        ("tokenizer.json", lambda entries: entries.update(normalizer={"type": "Lowercase"})),
        ("tokenizer_config.json", lambda config: config.update(eos_token="<pad>")),
        ("tokenizer_config.json", lambda config: config.update(bos_token=None)),
        ("tokenizer_config.json", lambda config: config.update(model_max_length=8)),
    ],
)
def test_what_cuts_or_marks_texts_in_another_way_is_another_tokenizer(folder: Path, name: str, change: Any) -> None:
    before = tokenizer_of(folder)
    edit(folder / name, change)
    assert tokenizer_of(folder) != before
