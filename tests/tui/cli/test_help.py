"""How `--help` reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packages import Packages
from typer.main import get_command

from tui.cli.app import app
from tui.cli.guard import guarded


def every_command(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """The words that lead to each command and each group of them, those included that are imported when called."""
    command = command or get_command(app)
    yield list(path)
    places = getattr(command, "places", {})
    for name, inner in getattr(command, "commands", {}).items():
        yield from every_command(places[name].command(name) if name in places else inner, (*path, name))


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_help_names_choices_and_no_type_of_python(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "200")
    assert guarded(app, [*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "--help" in out
    assert [shown for shown in re.findall(r"<.*?>", out) if "|" not in shown] == []
    assert re.findall(r"\b(?:bool|str|int|float|list|tuple)\b\W*[>\]]", out) == []


def test_all_commands_are_looked_at():
    """That is, the walk above finds those of `rules` as well."""
    assert {("import",), ("export",), ("rules",), ("rules", "use")} < {tuple(path) for path in every_command()}


def test_a_method_may_be_written_in_capitals(capsys: pytest.CaptureFixture[str]):
    assert guarded(app, ["run", "m", "--method", "MAW"]) == 2
    assert "No task was given" in capsys.readouterr().err


def test_import_lists_what_can_be_read_with_what_other_packages_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    others = Packages(tmp_path, monkeypatch)
    summary = "Ledgers [bold]of[/nothing] any year"
    others.add("a-ledger", {}, "[prune_tui.importers]\nledger = missing:LEDGER\n", summary)
    assert guarded(app, ["import", "--help"]) == 0
    out = capsys.readouterr().out
    assert "lm-eval 0.3: numbers; shots from the config" in out
    assert f"ledger: {summary} (from a-ledger 1.0)" in out
