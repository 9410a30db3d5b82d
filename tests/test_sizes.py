"""Files small enough to be read at one go."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("prune_tui", "tui", "engine", "warehouse", "sql")
CODE = (".py", ".sql", ".tcss")
MOST_LINES = 400


def lines_of(folder: Path) -> dict[str, int]:
    """Lines of each file of ours below a folder."""
    return {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(folder.rglob("*"))
        if path.suffix in CODE
    }


@pytest.mark.parametrize("package", PRODUCT)
def test_no_file_is_longer_than_a_reader_keeps_in_mind(package: str):
    lines = lines_of(ROOT / package)
    assert lines
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_half_of_all_modules_fit_on_two_screens():
    modules = [
        count
        for package in PRODUCT
        for path, count in lines_of(ROOT / package).items()
        if path.endswith(".py") and not path.endswith("__init__.py")
    ]
    assert len(modules) > 200
    assert statistics.median(modules) <= 100
