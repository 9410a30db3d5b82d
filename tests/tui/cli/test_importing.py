"""`import` on the command line: what came in, what would give way, and what is no result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from warehouse.checkpoints import FILE_NAME


def write(
    folder: Path, value: float | None = 0.5, *, date: float = 1.7e9, model: str = "org/small", **config: Any
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "results": {"hellaswag": {"acc,none": value, "acc_stderr,none": 0.05}},
        "n-shot": {"hellaswag": 0}, "versions": {"hellaswag": 1.0},
        "n-samples": {"hellaswag": {"original": 100, "effective": 100}},
        "config": {"model": "hf", "model_args": f"pretrained={model}", "limit": None, "gen_kwargs": None} | config,
        "date": date, "lm_eval_version": "0.4.9", "model_name": model,
    }  # fmt: skip
    (folder / "run1_2026-01-02T03-04-05.000006.json").write_text(json.dumps(data))


def test_each_file_says_what_of_it_was_stored(shell):
    write(shell.cwd / "out")
    done = shell("import", "out")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == "out: 1 imported."
    assert "run1_2026-01-02T03-04-05.000006.json: 1 metric, 0 samples; org/small, unpruned." in second
    assert shell("import", "out").stdout == "out: 0 imported, 1 known already.\n"


def test_a_program_is_told_the_same(shell):
    write(shell.cwd / "out")
    told = json.loads(shell("import", "out", "--json").stdout)
    assert told["imported"] == [told["files"][0]["run_id"]]
    assert (told["files"][0]["metrics"], told["files"][0]["samples"], told["files"][0]["known"]) == (1, 0, False)
    assert (told["known"], told["skipped"], told["replaced"], told["notes"]) == ([], [], [], [])


def test_what_would_be_replaced_is_refused_and_listed(shell):
    write(shell.cwd / "out")
    write(shell.cwd / "later", 0.46, date=1.8e9)
    shell("import", "out")
    done = shell("import", "later")
    assert done.returncode == 2
    assert "hellaswag acc of org/small, unpruned: 0.5" in done.stderr
    assert "--replace" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    listed = shell("import", "later", "--json")
    assert listed.returncode == 2
    [one] = json.loads(listed.stdout)["would_replace"]
    assert (one["before"]["value"], one["after"]["value"]) == (0.5, 0.46)
    replaced = shell("import", "later", "--replace", "--json")
    assert replaced.returncode == 0, replaced.stderr
    assert len(json.loads(replaced.stdout)["replaced"]) == 1


def test_a_file_that_holds_nothing_is_refused(shell):
    write(shell.cwd / "out", None)
    done = shell("import", "out")
    assert done.returncode == 2
    assert "no metric in it that can be read" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (shell.cwd / "results.duckdb").exists()


@pytest.mark.parametrize(
    ("level", "said"), [("2.4y", "not a pruning level"), ("100", "outside 0–99"), ("2x", "needs the sizes")]
)
def test_a_level_that_is_none_is_one_sentence(shell, level, said):
    write(shell.cwd / "out")
    done = shell("import", "out", "--level", level)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_models_are_not_brought_in_as_one(shell):
    write(shell.cwd / "out" / "a")
    write(shell.cwd / "out" / "b", model="org/other")
    for paths in (["out"], ["out/a", "out/b"]):
        done = shell("import", *paths, "--model", "foo")
        assert done.returncode == 2
        assert "org/small and org/other" in done.stderr


def test_infinities_are_printed_by_name(shell):
    write(shell.cwd / "out")
    write(shell.cwd / "later", float("nan"), date=1.8e9)
    shell("import", "out")
    told = json.loads(shell("import", "later", "--replace", "--json").stdout, parse_constant=pytest.fail)
    assert told["replaced"][0]["after"]["value"] == "NaN"
    exported = shell("export", "deltas", "--model", "org/small", "--format", "json").stdout
    asked = shell(
        "sql", "select 'inf'::double as a, '-inf'::double as b, 'nan'::double as c", "--format", "json"
    ).stdout
    assert json.loads(exported, parse_constant=pytest.fail)[0]["value"] == "NaN"
    assert json.loads(asked, parse_constant=pytest.fail) == [{"a": "Infinity", "b": "-Infinity", "c": "NaN"}]


@pytest.mark.slow
def test_a_level_that_was_saved_comes_back_into_its_models_table(shell):
    """Saved by us, scored by lm-eval, imported: it meets the baseline that a run of ours measured."""
    tasks = ("--tasks", "demo_story", "--levels", "0", "--limit", "20", "--dtype", "float32", "--device", "cpu")
    run = shell("run", "demo", *tasks)
    assert run.returncode == 0, run.stderr
    saved = shell("save", "demo", "--level", "40", "--to", "p40")
    assert saved.returncode == 0, saved.stderr
    record = json.loads((shell.cwd / "p40" / FILE_NAME).read_text())
    assert (record["base"]["model"], record["level"], record["intermediate_size"]) == ("demo", "40", 308)
    asked = "select task, num_fewshot, version, metric, filter, n from current_metrics order by all limit 1"
    [row] = json.loads(shell("sql", asked, "--format", "json").stdout)
    seeds = {"random_seed": 0, "numpy_seed": 1234, "torch_seed": 1234, "fewshot_seed": 1234}
    data = {
        "results": {row["task"]: {f"{row['metric']},{row['filter']}": 0.25}},
        "n-shot": {row["task"]: row["num_fewshot"]}, "versions": {row["task"]: row["version"]},
        "n-samples": {row["task"]: {"original": 99, "effective": row["n"]}},
        "config": {"model": "hf", "model_args": "pretrained=./p40", "model_dtype": "torch.float32", "limit": 20,
                   "model_num_parameters": record["parameters"], "model_sha": "", "gen_kwargs": None} | seeds,
        "date": 1.9e9, "model_name": "./p40", "system_instruction": None, "chat_template": None,
    }  # fmt: skip
    results = shell.cwd / "out" / "p40" / "results_2030-01-02T03-04-05.json"
    results.parent.mkdir(parents=True)
    results.write_text(json.dumps(data))
    done = shell("import", "out")
    assert (done.returncode, done.stderr) == (0, "")
    deltas = "select model, method, pruning_pct, value, baseline is not null as met from baseline_deltas"
    assert json.loads(shell("sql", deltas, "--format", "json").stdout) == [
        {"model": "demo", "method": "maw", "pruning_pct": 40.0, "value": 0.25, "met": True}
    ]
