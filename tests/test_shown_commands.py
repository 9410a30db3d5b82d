"""Every command that a page shows is one that there is, with options that it has."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
from shown_commands import blocks, commands
from typer.main import get_command

from prune_tui.ours import FOLDER as ROOT
from tui.cli.app import Commands, app

PAGES = ("README.md", "CONTRIBUTING.md", *(str(one.relative_to(ROOT)) for one in (ROOT / "docs").rglob("*.md")))
MADE = {"docs/options.md"}  # from the commands themselves
_HELP = {"--help", "-h"}


@cache
def command(name: str) -> Any:
    return Commands.places[name].command(name)


def options(one: Any) -> set[str]:
    return _HELP.union(*({*parameter.opts, *parameter.secondary_opts} for parameter in one.params))


def faults(words: list[str]) -> list[str]:
    """What a call of prune-tui has that there is not."""
    first = get_command(app)
    at = next((i for i, word in enumerate(words) if re.fullmatch("[a-z][a-z-]*", word)), len(words))
    known, wrong = options(first), []
    if at < len(words):
        if words[at] not in Commands.places:
            return [f"there is no command {words[at]}"]
        one = command(words[at])
        known |= options(one)
        below = getattr(one, "commands", {})
        known = known.union(*(options(below[word]) for word in words if word in below))
    for word in words:
        name = word.partition("=")[0].rstrip(".,")
        if re.match(r"--?[a-z]", name) and name not in known:
            wrong.append(f"{words[at] if at < len(words) else 'prune-tui'} has no option {name}")
    return wrong


@pytest.mark.parametrize("page", sorted({*PAGES} - MADE))
def test_a_page_shows_commands_that_there_are(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not {fault for words in commands(text) for fault in faults(words)}


def test_each_command_is_told_what_for():
    page = (ROOT / "docs/command-line.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(?:prune-tui )?([a-z]+)\b", page.partition("## Levels")[0]))
    assert {*Commands.places} <= told


def test_each_how_to_shows_one():
    silent = {path.name for path in (ROOT / "docs/how-to").glob("*.md") if not list(commands(path.read_text("utf-8")))}
    assert not silent


def test_what_is_wrong_is_seen():
    block = "X=1 prune-tui run a --levles 0,40 | tail\nsbatch --wrap 'prune-tui rum b'  # one"
    page = f"```sh\n{block}\n```\n`prune-tui --vresion`"
    assert [fault for words in commands(page) for fault in faults(words)] == [
        "run has no option --levles",
        "there is no command rum",
        "prune-tui has no option --vresion",
    ]
    assert [next(commands(page)), blocks(page)[0].is_run] == [["run", "a", "--levles", "0,40"], True]
