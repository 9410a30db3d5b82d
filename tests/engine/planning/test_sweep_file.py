"""A sweep file says what the options would."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning.asked import Asked, plans_of
from engine.planning.plan import RunPlan
from engine.planning.sweep_file import is_sweep_file, read_sweep_file
from engine.planning.where import Where

TOP = 'tasks = ["piqa", "gsm8k@5"]\nlevels = [0, 40]\n'


def read(folder: Path, text: str, **typed):
    path = folder / "two.toml"
    path.write_text(text, encoding="utf-8")
    return read_sweep_file(path, typed)


def without_id(plans: list[RunPlan]) -> list[dict]:
    return [plan.to_dict() | {"sweep": None, "sweep_name": None} for plan in plans]


def test_a_file_and_the_same_options_are_the_same_plans(tmp_path: Path):
    file = read(
        tmp_path,
        TOP + 'method = ["maw", "l2"]\nrepair = "none"\nlimit = 100\nseed = [1, 2, 3, 4]\ndtype = "bfloat16"\n'
        'compile = true\nbatch-tokens = 4096\nmodels = ["org/one", {model = "org/two", revision = "v2"}]',
    )
    options = {
        "tasks": "piqa,gsm8k@5", "levels": "0,40", "method": "maw,l2", "limit": 100.0, "seed": "1,2,3,4",
        "dtype": "bfloat16", "compile": True, "batch_tokens": 4096,
    }  # fmt: skip
    asked = [Asked(model="org/one", **options), Asked(model="org/two", revision="v2", **options)]
    plans = file.plans()
    assert without_id(plans) == without_id(plans_of(asked, tmp_path))
    assert len(plans) == 4
    [sweep] = {(plan.sweep, plan.sweep_name) for plan in plans}
    assert sweep[0] is not None
    assert sweep[1] == "two"


def test_what_stands_with_a_model_holds_for_that_one_alone(tmp_path: Path):
    file = read(
        tmp_path,
        TOP + 'models = ["org/one"]\n'.replace('"org/one"', '"org/one", {model = "org/two", levels = "0,2.4x", suite = '
        '"paper", limit = 5, method = "l2"}'),
    )  # fmt: skip
    first, second = file.plans()
    assert [list(map(str, plan.levels)) for plan in (first, second)] == [["0", "40"], ["0", "2.4x"]]
    assert (first.suite, second.suite) == (None, "paper")
    assert (first.limit, second.limit) == (None, 5)
    assert (first.method, second.method) == ("maw", "l2")


def test_options_that_are_typed_hold_for_every_model(tmp_path: Path):
    file = read(tmp_path, TOP + 'models = ["org/one", {model = "org/two", limit = 5}]', limit=2.0, suite="demo")
    assert [(plan.limit, plan.suite) for plan in file.plans()] == [(2.0, "demo"), (2.0, "demo")]


def test_paths_are_seen_from_the_file(tmp_path: Path):
    (tmp_path / "own").mkdir()
    (tmp_path / "model").mkdir()
    [plan] = read(tmp_path, TOP + 'include-path = "own"\nmodels = ["model"]').plans()
    assert plan.include_paths == (str(tmp_path / "own"),)
    assert plan.model == str(tmp_path / "model")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limits = 3\nmodels = ['a']", "there is no key limits at the top: did you mean limit?"),
        ("models = [{model = 'a', levls = '0'}]", "there is no key levls of model 1: did you mean levels?"),
        ("limit = 'few'\nmodels = ['a']", "limit at the top must be a number, not 'few'"),
        ("limit = true\nmodels = ['a']", "limit at the top must be a number, not True"),
        ("compile = 1\nmodels = ['a']", "compile at the top must be true or false, not 1"),
        ("models = ['a', {model = 'b', batch-tokens = 2.5}]", "batch-tokens of model 2 must be a whole number"),
        ("dtype = 'int8'\nmodels = ['a']", "dtype at the top must be one of auto, float32, bfloat16, float16"),
        ("tasks = [1]\nmodels = ['a']", r"tasks at the top must be a text or a list, not \[1\]"),
        ("include-path = 1\nmodels = ['a']", "include-path at the top must be a folder or a list of them"),
        ("gpus = 1\nmodels = ['a']", 'gpus at the top must be "all" or a list of numbers'),
        ("on = 1\nmodels = ['a']", "on at the top must be"),
        ("on = 'slurm'\nmodels = ['a']", "Nothing is carried out on 'slurm': give local, ray, or ray://HOST:PORT"),
        ("on = 'ray'\nalone = 'go'\nmodels = ['a']", "Workers that are left alone cannot 'go': give finish or stop"),
        ("on = 'ray'\ngpus = [0]\nmodels = ['a']", "gpus are this host's, and on ray takes the cluster's"),
        ("models = [{model = 'a', on = 'ray'}]", "there is no key on of model 1"),
        ("levels = '0'", "models at the top must be a list"),
        ("models = 'a'", "models at the top must be a list"),
        ("models = [1]", "model 1 must be a name, or a table with a key model"),
        ("models = [{revision = 'x'}]", "the table of model 1 has no key model"),
        ("model = 'a'\nmodels = ['a']", "there is no key model at the top: did you mean models?"),
        ("models = [", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_named_with_file_table_and_key(tmp_path: Path, text: str, said: str):
    with pytest.raises(UserError, match=rf"two\.toml.*{said}"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("suite = 'nothing'", r"model 2 \(b\): There is no suite 'nothing'"),
        ("method = 'magic'", r"model 2 \(b\): --method: There is no pruning method 'magic'"),
        ("seed = 'x'", r"model 2 \(b\): 'x' is no seed"),
    ],
)
def test_a_value_that_there_is_not_is_said_of_its_model(tmp_path: Path, line: str, said: str):
    with pytest.raises(UserError, match=rf"two\.toml: {said}"):
        read(tmp_path, TOP + f"[[models]]\nmodel = 'a'\n[[models]]\nmodel = 'b'\n{line}").plans()


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("", Where()),
        ("gpus = [0, 1]", Where(gpus="0,1")),
        ("gpus = 'all'", Where(gpus="all")),
        ("on = 'ray'", Where(on="ray")),
        ("on = 'ray://head:10001'\nalone = 'stop'", Where(on="ray://head:10001", alone="stop")),
    ],
)
def test_it_says_where_it_is_carried_out(tmp_path: Path, said: str, where: Where):
    assert read(tmp_path, f"{said}\nmodels = ['a']").where == where


@pytest.mark.parametrize(
    ("said", "typed", "where"),
    [
        ("on = 'ray'", {"gpus": "0"}, Where(gpus="0")),
        ("on = 'ray'", {"on": "local"}, Where()),
        ("gpus = [0]", {"on": "ray"}, Where(on="ray")),
        ("gpus = [0]", {"gpus": "1"}, Where(gpus="1")),
        ("on = 'ray'", {"alone": "stop"}, Where(on="ray", alone="stop")),
    ],
)
def test_an_option_that_names_a_place_takes_that_of_the_file(tmp_path: Path, said: str, typed: dict, where: Where):
    assert read(tmp_path, f"{said}\nmodels = ['a']", **typed).where == where


def test_a_file_is_told_from_a_model_by_its_ending_and_by_being_there(tmp_path: Path):
    (tmp_path / "a.toml").write_text("")
    assert is_sweep_file(str(tmp_path / "a.toml"))
    assert not is_sweep_file(str(tmp_path / "b.toml"))
    assert not is_sweep_file("org/model")


@pytest.mark.parametrize("changes", [{}, {"suite": "demo", "tasks": None}, {"calibration": "self", "repair": "lsq"}])
def test_a_plan_asks_for_itself_again(tmp_path: Path, changes: dict):
    given = {"tasks": "piqa@3", "seed": "7", "no_cache": True, "revision": "v1", "limit": 0.5} | changes
    [plan] = plans_of([Asked(model="org/one", **given)], tmp_path)
    assert plans_of([Asked.like(plan)], tmp_path) == [plan]
