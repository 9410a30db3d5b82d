"""What is known of a model before it is loaded, asked of a process of its own."""

from __future__ import annotations

import sys

import pytest

from engine.errors import UserError
from engine.planning import preview
from engine.pruning import loading


def test_the_demo_models_shape_is_told_from_its_config():
    shape = preview.inspect("demo")
    assert shape is not None
    found = loading.inspect("demo").shape
    for name in ("hidden_size", "intermediate_size", "vocab_size", "parameters", "parameters_per_neuron", "fused"):
        assert getattr(shape, name) == getattr(found, name)
    # 6 layers of 2 key-value heads of 16: keys and values.
    assert shape.cache_per_token == 2 * 6 * 2 * 16
    assert shape.device == loading.resolve_device("auto").type


def test_auto_is_the_checkpoints_dtype_but_on_a_cpu():
    shape = preview.inspect("demo")
    assert shape is not None
    assert shape.dtype_for("auto", "cpu") == "float32"
    assert shape.dtype_for("auto", "cuda:1") == shape.dtype == "bfloat16"
    assert shape.dtype_for("float16", "cpu") == "float16"


def test_a_hub_model_that_is_not_here_is_unknown_unless_the_network_may_be_asked():
    assert preview.inspect("nobody/nothing-here") is None
    with pytest.raises(UserError, match="nobody/nothing-here"):
        preview.inspect("nobody/nothing-here", online=True)  # tests have no network, which is said


def test_a_look_that_takes_too_long_says_so_in_words(monkeypatch):
    monkeypatch.setattr(preview, "_PATIENCE", 0.001)
    with pytest.raises(preview.UnseenError, match=r"^Nothing was found out about demo within 0.001 seconds\.$"):
        preview.inspect("demo")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"config\.json"):
        preview.inspect(str(tmp_path))


def test_several_models_are_looked_at_by_one_process_and_each_has_its_own_answer(tmp_path):
    names = [preview.ModelName("demo"), preview.ModelName(str(tmp_path)), preview.ModelName("nobody/nothing-here")]
    demo, folder, unknown = preview.inspect_each(names)
    assert demo == preview.inspect("demo")
    assert isinstance(folder, UserError)
    assert "config.json" in str(folder)
    assert unknown is None


def test_where_the_process_ends_the_models_it_had_not_come_to_are_unseen(monkeypatch):
    said = 'print(json.dumps({"unknown": True}), flush=True); sys.exit("out of memory.")'
    monkeypatch.setattr(preview, "module_command", lambda *_: [sys.executable, "-c", f"import json, sys; {said}"])
    first, second = preview.inspect_each([preview.ModelName("a/b"), preview.ModelName("c/d")])
    assert first is None
    assert isinstance(second, preview.UnseenError)
    assert str(second) == "Nothing can be found out about c/d: out of memory."
