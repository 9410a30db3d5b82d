"""Files of lm-eval 0.3 and of the first Open LLM Leaderboard hold scores, and these come in."""

from __future__ import annotations

import json

import pytest

from warehouse.errors import UserError
from warehouse.importers import import_path

OF_0_3 = {
    "results": {"hellaswag": {"acc": 0.4014, "acc_stderr": 0.0049, "acc_norm": 0.5116, "acc_norm_stderr": 0.005}},
    "versions": {"hellaswag": 0},
    "config": {
        "model": "hf-causal-experimental", "model_args": {"pretrained": "org/small"}, "num_fewshot": 5,
        "no_cache": True, "limit": None, "description_dict": {},
    },
}  # fmt: skip
OF_THE_LEADERBOARD = {
    "config_general": {
        "model_name": "org/small",
        "model_sha": "a",
        "model_dtype": "torch.bfloat16",
        "max_samples": None,
    },
    "results": {
        "harness|arc:challenge|25": {"acc": 0.5, "acc_stderr": 0.014, "acc_norm": 0.54, "acc_norm_stderr": 0.0145},
        "harness|gsm8k|5": {"acc": 0.1, "acc_stderr": 0.01},
        "all": {"acc": 0.3},
    },
    "versions": {"all": 0, "harness|gsm8k|5": 0},
}
STORED = "select task, metric, filter, value, stderr, num_fewshot, version from current_metrics order by all"


def written(tmp_path, data, name="old.json"):
    path = tmp_path / name
    path.write_text(json.dumps(data))
    return path


def test_a_file_of_0_3_has_its_shots_in_its_config(database, tmp_path, ask):
    report = import_path(database, written(tmp_path, OF_0_3))
    assert [(one.metrics, one.samples) for one in report.stored] == [(2, 0)]
    assert ask(STORED) == [
        ("hellaswag", "acc", "none", 0.4014, 0.0049, 5, "0"),
        ("hellaswag", "acc_norm", "none", 0.5116, 0.005, 5, "0"),
    ]
    assert ask(
        "select model, seeds, harness_version from models join runs using (run_id) join cells using (run_id)"
    ) == [("org/small", "1234,1234,none,42", "0.3")]


def test_model_arguments_of_0_3_may_be_a_text(database, tmp_path, ask):
    old = OF_0_3 | {"config": OF_0_3["config"] | {"model_args": "pretrained=org/other,load_in_8bit=True"}}
    import_path(database, written(tmp_path, old))
    assert ask("select model, quantization from models join runs using (run_id)") == [
        ("org/other", "load_in_8bit=True")
    ]


def test_a_file_of_the_leaderboard_has_its_shots_in_its_names(database, tmp_path, ask):
    import_path(database, written(tmp_path, OF_THE_LEADERBOARD))
    assert ask(STORED) == [
        ("arc_challenge", "acc", "none", 0.5, 0.014, 25, None),
        ("arc_challenge", "acc_norm", "none", 0.54, 0.0145, 25, None),
        ("gsm8k", "acc", "none", 0.1, 0.01, 5, "0"),
    ]
    about = "select model, revision, dtype, documents from models join runs using (run_id)"
    assert ask(about) == [("org/small", "a", "bfloat16", "all")]


def test_the_leaderboards_file_name_says_when_it_was_measured(database, tmp_path, ask):
    import_path(database, written(tmp_path, OF_THE_LEADERBOARD, "results_2023-08-22T20:41:33.012345.json"))
    assert ask("select created_at::varchar from run_models") == [("2023-08-22 20:41:33.012345",)]


@pytest.mark.parametrize(
    "data",
    [
        {"results": {"hellaswag": {"acc": 0.4}}, "config": {"model_args": "pretrained=org/small"}},
        {"results": {"leaderboard|gsm8k|5|0": {"qem": 0.4}}, "config_general": {"model_name": "org/small"}},
        {"results": {"hellaswag": {"acc": 0.4}}, "model_name": "org/small", "config": {"model": "other"}},
    ],
    ids=["0.3 without shots", "lighteval", "something else"],
)
def test_a_form_that_is_not_certain_is_refused(database, tmp_path, data):
    with pytest.raises(UserError, match=r"old\.json.*no metric in it that can be read \(lm-eval before 0\.4") as told:
        import_path(database, written(tmp_path, data), model="org/small")
    assert str(told.value).count("\n") == 0
    assert not database.exists()
