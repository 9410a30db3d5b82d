"""Textual keeps every screen's rules for all screens once one was shown: they must not meet another's parts."""

from __future__ import annotations

import re
from pathlib import Path

from textual.css.stylesheet import Stylesheet

from tui.app import Dashboard

TUI = Path(__file__).resolve().parents[2] / "tui"
SHARED = TUI / "shell" / "tokens.tcss"


def selectors(file: Path) -> list[str]:
    text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"([^{}]+)\{[^{}]*\}", text)
    return [selector.strip() for head in heads for selector in head.split(",")]


def of_everybody(selector: str) -> bool:
    """Whether it names neither a part by its id nor a type of ours."""
    return "#" not in selector and not re.search(r"\b[A-Z]\w+Screen\b|\bChoose|\bNameIt\b|\bWholeValue\b", selector)


def test_a_screens_rules_are_for_its_own_parts():
    files = [file for file in sorted(TUI.rglob("*.tcss")) if file != SHARED]
    assert len(files) > 6
    assert [(file.name, selector) for file in files for selector in selectors(file) if of_everybody(selector)] == []


def test_a_part_is_named_alike_only_where_the_rule_names_the_screen_too():
    for file in sorted(TUI.rglob("*.tcss")):
        elsewhere = "\n".join(
            path.read_text(encoding="utf-8") for path in TUI.rglob("*.py") if path.parent != file.parent
        )
        bare = {name for selector in selectors(file) for name in re.findall(r"^(?:\.[\w.-]+ )*#([\w-]+)", selector)}
        assert not [name for name in bare if f'id="{name}"' in elsewhere], file


def test_every_file_of_rules_is_read(tmp_path: Path):
    variables = Dashboard(tmp_path / "results.duckdb").get_css_variables()
    for file in TUI.rglob("*.tcss"):
        sheet = Stylesheet(variables=variables)
        sheet.read(file)
        assert sheet.rules, file
