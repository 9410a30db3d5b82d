"""What a model's folder lacks is told without torch, in the words of who would load it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.planning import model_files
from engine.planning.model_files import check
from engine.planning.suites import DEMO_MODEL


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(MODEL_DIR, tmp_path / "model"))


def refusal(model: Path | str, *, trust_remote_code: bool = False) -> str:
    with pytest.raises(UserError) as refused:
        check(str(model), trust_remote_code=trust_remote_code)
    return str(refused.value)


def rewrite(folder: Path, **entries: object) -> None:
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | entries))


@pytest.mark.parametrize("model", [DEMO_MODEL, "owner/name", "name"])
def test_of_what_is_no_folder_nothing_is_said(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(model, trust_remote_code=False)


def test_a_whole_checkpoint_passes(folder):
    check(str(folder), trust_remote_code=False)


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "a/b/c", "~/nowhere/at/all"])
def test_a_path_that_leads_nowhere(model):
    assert refusal(model) == f"There is no folder {model}: check the path."


def test_a_folder_without_config_and_a_file(folder):
    assert "give the folder that holds config.json" in refusal(folder / "config.json")
    (folder / "config.json").unlink()
    assert "holds no config.json" in refusal(folder)


@pytest.mark.parametrize(
    ("text", "said"), [("{", "not valid JSON"), ("[]", "no entries, but a list"), ("[" * 100_000, "nested too deeply")]
)
def test_a_config_that_is_none(folder, text, said):
    (folder / "config.json").write_text(text)
    assert said in refusal(folder)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"num_hidden_layers": 10**9}, "asks for 1000000000 layers"),
        ({"text_config": {"attn_implementation": "a/b"}}, "takes a kernel from the hub"),
        ({"model_type": "nomodel"}, "has model type 'nomodel', which the installed transformers does not know"),
        ({"model_type": 3}, "model_type in config.json is no name, but 3"),
        ({"model_type": None}, "names no model_type"),
        ({"model_type": "nomodel", "auto_map": {"AutoConfig": "x.y"}}, "needs Python code of its own"),
    ],
)
def test_a_config_of_no_model(folder, entries, said):
    rewrite(folder, **entries)
    assert said in refusal(folder)


def test_code_that_is_trusted_may_have_any_type(folder):
    rewrite(folder, model_type="nomodel", auto_map={"AutoConfig": "x.y"})
    check(str(folder), trust_remote_code=True)


@pytest.mark.parametrize("kept", [0, 4, 100, 50_000])
def test_weights_that_were_cut_short(folder, kept):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    assert "damaged or cut short" in refusal(folder)


def test_weights_that_are_something_else(folder):
    (folder / "model.safetensors").write_text("<!DOCTYPE html>" * 1000)
    assert "damaged or cut short" in refusal(folder)


def test_one_of_several_files_of_weights(folder):
    weights = folder / "model.safetensors"
    shutil.copy(weights, folder / "model-00001-of-00002.safetensors")
    weights.rename(folder / "model-00002-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    check(str(folder), trust_remote_code=False)
    (folder / shards["b"]).write_bytes(b"\0" * 100)
    assert shards["b"] in refusal(folder)


@pytest.mark.slow
def test_every_type_that_transformers_knows_may_be_known():
    from transformers import CONFIG_MAPPING

    assert [name for name in CONFIG_MAPPING if not model_files._may_be_known(name)] == []
