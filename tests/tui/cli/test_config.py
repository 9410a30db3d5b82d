"""Settings for all commands: an option before the environment before the file before what is built in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from template import copied

from engine import settings
from engine.planning.draft import Draft


@pytest.fixture
def config(shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's config file, which is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shell.cwd / "config"))
    path = shell.cwd / "config" / "prune-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_what_holds_and_where_it_comes_from(shell, config: Path):
    config.write_text('database = "/data/file.duckdb"\ndevice = "cuda:1"\n')
    told = json.loads(shell("config", "--json", PRUNE_TUI_DEVICE="cpu").stdout)
    assert (told["file"], told["exists"]) == (str(config), True)
    assert told["settings"] == {
        "database": {"value": "/data/file.duckdb", "source": "config file"},
        "cache": {"value": None, "source": "built-in"},
        "device": {"value": "cpu", "source": "environment (PRUNE_TUI_DEVICE)"},
        "suite": {"value": None, "source": "built-in"},
        "notify": {"value": None, "source": "built-in"},
        "on_end": {"value": None, "source": "built-in"},
    }
    shown = shell("--show-config")
    assert shown.returncode == 0
    assert "database  /data/file.duckdb        PRUNE_TUI_DB      config file" in shown.stdout


def test_without_a_file_everything_is_built_in(shell, config: Path):
    told = json.loads(shell("config", "--json").stdout)
    assert told["exists"] is False
    assert {one["source"] for one in told["settings"].values()} == {"built-in"}
    assert "database  results.duckdb" in shell("config").stdout
    assert "There is no database x.duckdb" in shell("--db", "x.duckdb", "models").stderr
    named = shell("--db", "results.duckdb", "models", PRUNE_TUI_DB="y.duckdb")
    assert "There is no database results.duckdb" in named.stderr


def test_how_the_end_of_a_run_is_told_is_one_of_the_words_there_are(shell, config: Path):
    config.write_text('notify = "bell, horn"\n')
    refused = shell("config")
    assert refused.returncode == 2
    assert "notify is 'horn', where bell, desktop or none is needed." in " ".join(refused.stderr.split())


def test_the_database_is_the_options_else_the_environments_else_the_files(shell, config: Path, study: Path):
    for name in ("file", "environment", "option"):
        (shell.cwd / name).mkdir()
    copied(study, shell.cwd / "file" / "r.duckdb")
    config.write_text(f'database = "{shell.cwd}/file/r.duckdb"\n')
    count = ("sql", "select count(*) as n from runs", "--format", "json")
    assert json.loads(shell(*count).stdout) == [{"n": 5}]
    by_environment = shell(*count, PRUNE_TUI_DB="environment/r.duckdb")
    assert "There is no database environment/r.duckdb" in by_environment.stderr
    by_option = shell(*count, "--db", "option/r.duckdb", PRUNE_TUI_DB="environment/r.duckdb")
    assert "There is no database option/r.duckdb" in by_option.stderr


def test_suite_and_device_hold_for_runs_and_for_the_form(fake, config: Path, monkeypatch: pytest.MonkeyPatch):
    config.write_text('suite = "demo"\ndevice = "cpu"\n')
    monkeypatch.setattr(settings.os, "environ", dict(settings.os.environ))
    settings.apply(settings.os.environ)
    assert (Draft.settled().suite, Draft.settled().device) == ("demo", "cpu")
    assert fake("run", "org/tiny", "--levels", "0", "--tasks", "piqa", "--name", "fine").returncode == 0
    plan = json.loads((fake.runs[0] / "plan.json").read_text())["plan"]
    assert (plan["device"], plan["suite"], plan["tasks"]) == ("cpu", None, ["piqa"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databse = '/x'", "has a setting 'databse', which there is none of: there are database, cache"),
        ("device = 1", "device is 1, where a text in quotes is needed"),
        ("suite = ''", "suite is '', where a text in quotes is needed"),
        ("database = 'here.duckdb'", "database is 'here.duckdb', where a whole path is needed"),
        ("database = ", "is not TOML"),
    ],
)
def test_a_wrong_file_is_a_sentence(shell, config: Path, text: str, words: str):
    config.write_text(text)
    for command in ("runs", "config"):
        refused = shell(command)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert words in refused.stderr
        assert str(config) in refused.stderr


@pytest.mark.slow
def test_the_cache_may_lie_elsewhere(shell, config: Path):
    config.write_text(f'cache = "{shell.cwd}/kept"\n')
    assert shell("import", "published").returncode == 0
    assert (shell.cwd / "kept" / "schema").is_dir()
