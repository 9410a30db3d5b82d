"""How `--help` reads."""

from __future__ import annotations

import pytest

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
