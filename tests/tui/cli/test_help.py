"""How `--help` reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from packages import Packages

from tui.cli.app import app
from tui.cli.guard import guarded


@pytest.mark.parametrize("command", [[], ["run"], ["rules"], ["rules", "use"]], ids=" ".join)
def test_a_switch_does_not_look_as_if_it_took_a_value(command: list[str], capsys: pytest.CaptureFixture[str]):
    assert guarded(app, [*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "--help" in out
    assert "<bool>" not in out


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
