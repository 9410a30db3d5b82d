"""`--version` says which commit it is, where there is one."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from engine import revision

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run([*GIT, "-C", str(tmp_path), *words], check=True)
    return tmp_path


def test_a_checkout_is_named_by_its_commit_and_whether_it_was_changed(checkout: Path):
    head = subprocess.run([*GIT, "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert revision.git_revision(checkout) == head.stdout.strip()
    (checkout / "new").touch()
    assert revision.git_revision(checkout) == f"{head.stdout.strip()}-dirty"


def test_an_installed_program_has_no_commit_even_below_somebody_elses_checkout(checkout: Path):
    (checkout / "site-packages").mkdir()
    assert revision.git_revision(checkout / "site-packages") is None


def test_the_command_says_both(shell):
    done = shell("--version")
    commit = revision.git_revision()
    assert done.stdout == f"prune-tui {version('prune-tui')}" + (f" (commit {commit})" if commit else "") + "\n"
