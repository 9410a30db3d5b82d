"""`run SWEEP.toml`, `run --like RUN` and `run --dry-run`."""

from __future__ import annotations

import json

import pytest

from engine.runs.rundir import RunDir

FILE = 'levels = [0, 40]\ntasks = ["piqa", "boolq"]\nmethod = ["maw", "l2"]\nmodels = ["org/a", "org/b"]\n'
RUN = ("run", "org/tiny", "--levels", "0,40", "--tasks", "piqa,boolq", "--name", "fine")


def plans(fake):
    return [RunDir(path).plan for path in fake.runs]


def write(fake, text: str = FILE) -> str:
    (fake.cwd / "two.toml").write_text(text)
    return "two.toml"


def test_a_file_is_carried_out_as_its_options_would_be(fake):
    done = fake("run", write(fake), "--limit", "5")
    assert done.returncode == 0, done.stderr
    found = plans(fake)
    assert [(plan.model, plan.method, list(map(str, plan.levels))) for plan in found] == [
        ("org/a", "maw", ["0", "40"]), ("org/a", "l2", ["40"]), ("org/b", "maw", ["0", "40"]), ("org/b", "l2", ["40"]),
    ]  # fmt: skip
    assert {plan.limit for plan in found} == {5}
    assert {plan.sweep_name for plan in found} == {"two"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.replace("boolq", "boolk"), "two.toml: model 1 (org/a): tasks: There is no task or group 'boolk'"),
        (FILE.replace("tasks", "task"), "two.toml: there is no key task at the top: did you mean tasks?"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence_and_leaves_nothing(fake, text, said):
    done = fake("run", write(fake, text))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert fake.runs == []


def test_a_dry_run_creates_nothing_and_says_what_there_would_be(fake):
    done = fake("run", write(fake), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1. org/a, maw: levels 0, 40; piqa, boolq; 4 evaluations" in done.stdout
    assert "level 0 is measured by run 1 of these, and not again" in done.stdout
    assert "4 runs, 12 evaluations; time: not known. Nothing was created." in done.stdout
    assert [path.name for path in fake.cwd.iterdir()] == ["two.toml"]


def test_a_file_says_that_a_cluster_carries_it_out_and_is_split_for_its_places(fake):
    one = FILE.replace(', "org/b"', "").replace('"maw", "l2"', '"maw"')
    done = fake("run", write(fake, 'on = "ray"\n' + one), "--dry-run", "--json", FAKE_PLACES="2")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["on"], told["places"], told["gpus"]) == ("ray", 2, [])
    assert [piece["levels"] for piece in told["pieces"]] == [["0"], ["40"]]
    assert "time on 2 places of ray: not known" in fake("run", "two.toml", "--dry-run", FAKE_PLACES="2").stdout
    here = json.loads(fake("run", "two.toml", "--on", "local", "--dry-run", "--json").stdout)
    assert (here["on"], here["places"], len(here["pieces"])) == ("local", 1, 1)


def test_a_dry_run_knows_what_earlier_runs_took_and_have(fake):
    assert fake(*RUN).returncode == 0
    [run] = fake.runs
    done = fake(*RUN[:3], "0,20,40", *RUN[4:], "--dry-run", "--json")
    [piece] = json.loads(done.stdout)["pieces"]
    assert piece["cells"] == 6
    assert piece["seconds"] == pytest.approx(0.6, abs=0.5)
    cells = [["0", "piqa"], ["0", "boolq"], ["40", "piqa"], ["40", "boolq"]]
    assert piece["measured_already"] == [{"run_id": run.name, "cells": cells}]
    assert len(fake.runs) == 1
    other = json.loads(fake(*RUN, "--limit", "5", "--dry-run", "--json").stdout)["pieces"]
    assert other[0]["measured_already"] == []


@pytest.mark.slow
def test_a_sweep_does_not_measure_again_what_is_measured(fake):
    assert fake("run", write(fake)).returncode == 0
    before = [path.name for path in fake.runs]
    done = fake("run", write(fake))
    assert (done.returncode, [path.name for path in fake.runs]) == (0, before)
    assert f"not again: 4 evaluations of org/a, maw (levels 0, 40), by run {before[0]}, at commit c0ffee" in done.stderr
    assert "Nothing is left to measure" in done.stderr
    wider = FILE.replace("[0, 40]", "[0, 20, 40]").replace(', "boolq"', ', "boolq@3"')
    dry = fake("run", write(fake, wider), "--dry-run")
    assert "1. org/a at c0ffee, maw: levels 0, 40; boolq@3; 2 evaluations" in dry.stdout
    assert "2. org/a at c0ffee, maw: levels 20; piqa, boolq@3; 2 evaluations" in dry.stdout
    told = json.loads(fake("run", write(fake, wider), "--dry-run", "--json").stdout)
    assert sum(piece["cells"] for piece in told["pieces"]) == 2 * (2 + 2 + 1 + 2)
    assert told["not_again"][0]["cells"] == [["0", "piqa"], ["40", "piqa"]]
    assert fake("run", write(fake, wider)).returncode == 0
    assert len(fake.runs) == len(before) + 8
    assert {plan.revision for plan in plans(fake)[4:]} == {"c0ffee"}


@pytest.mark.slow
def test_a_sweep_measures_again_where_it_is_told_to_or_the_model_is_another(fake):
    assert fake("run", write(fake)).returncode == 0
    assert fake("run", write(fake), "--again", "--no-start").returncode == 0
    assert len(fake.runs) == 8
    assert fake("run", write(fake), "--no-start", FAKE_COMMIT="another").returncode == 0
    assert len(fake.runs) == 12


def test_the_same_again_with_what_is_given_beside_it(fake):
    assert fake(*RUN, "--limit", "7").returncode == 0
    assert fake("run", "--like", "latest", "--levels", "0,20").returncode == 0
    first, second = plans(fake)
    assert [str(level) for level in second.levels] == ["0", "20"]
    assert first.to_dict() | {"levels": ["0", "20"]} == second.to_dict()


@pytest.mark.slow
def test_another_model_like_a_sweep(fake):
    assert fake("run", write(fake, FILE.replace(', "org/b"', ""))).returncode == 0
    sweep = plans(fake)[0].sweep
    assert sweep is not None
    assert fake("run", "org/c", "--like", sweep, "--no-start").returncode == 0
    assert [(plan.model, plan.method, len(plan.levels)) for plan in plans(fake)[2:]] == [
        ("org/c", "maw", 2), ("org/c", "l2", 1),
    ]  # fmt: skip
    assert {plan.sweep for plan in plans(fake)[2:]} != {sweep}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No model was given"),
        (("two.toml", "org/c"), "two.toml says which models: give it alone"),
        (("org/c", "--gpus", "all", "--tasks", "piqa"), "There is no GPU here for --gpus"),
        (("--like", "nothing"), "There are no runs"),
    ],
)
def test_what_cannot_be_meant_is_refused(fake, words, said):
    write(fake)
    done = fake("run", *words)
    assert done.returncode == 2
    assert said in done.stderr
