"""Copying says where the text went, and falls back to a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App

from tui.shell.clipboard import MOST_BYTES, copy


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


async def test_a_short_text_goes_through_the_terminal(monkeypatch: pytest.MonkeyPatch):
    async with App().run_test() as pilot:
        assert copy(pilot.app, "| a |").startswith("Sent to the terminal's clipboard (OSC 52)")
        assert pilot.app.clipboard == "| a |"
        monkeypatch.setenv("TMUX", "/tmp/tmux")
        assert "set-clipboard" in copy(pilot.app, "| a |")


@pytest.mark.parametrize(("text", "term"), [("x" * (MOST_BYTES + 1), "xterm"), ("short", "linux")])
async def test_what_the_terminal_would_drop_goes_to_a_file(
    text: str, term: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("TERM", term)
    async with App().run_test() as pilot:
        told = copy(pilot.app, text)
    [path] = tmp_path.glob("prune-tui-copied-*.md")
    assert path.read_text() == text
    assert f"saved to {path} instead" in told
