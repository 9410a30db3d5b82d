"""What docs/python-api.md shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from template import copied

import prune_tui

PAGE = (Path(__file__).parents[2] / "docs" / "python-api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLES = {title: re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) for title, text in SECTIONS.items()}
# They load torch, and evaluate.
SLOW = {"Runs", "Checkpoints", "lm-eval", "One model at many widths"}


def run(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    for number, code in enumerate(EXAMPLES[title], 1):
        exec(compile(code, f"<{title}, example {number}>", "exec"), names)


def test_every_section_with_code_is_run():
    assert {title for title, code in EXAMPLES.items() if code} == {"Results", "Errors", *SLOW}


def test_every_name_and_method_that_is_offered_is_on_the_page():
    rows = re.findall(r"^\|(.+?)\|(.+)\|$", SECTIONS["All names"], re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", "".join(row))} >= set(prune_tui.__all__)
    for kind in (prune_tui.Warehouse, prune_tui.Run):
        [methods] = [text for name, text in rows if f"`{kind.__name__}`" in name]
        own = {name for name in vars(kind) if not name.startswith("_")} - {"run_id", "folder", "database", "plan"}
        assert set(re.findall(r"`([a-z]\w*)`", methods)) == own


@pytest.mark.slow
def test_results_are_read_as_the_page_shows(tmp_path: Path, study: Path, monkeypatch: pytest.MonkeyPatch):
    copied(study, tmp_path / "results.duckdb")
    run("Results", tmp_path, monkeypatch)


def test_errors_are_caught_as_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run("Errors", tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("title", sorted(SLOW))
def test_models_are_run_pruned_and_evaluated_as_the_page_shows(
    title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run(title, tmp_path, monkeypatch)
