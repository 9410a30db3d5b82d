"""Writes the list of files in docs/architecture.md, a line each from the files' own first sentences: `make tree`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("prune_tui", "tui", "engine", "warehouse")
BEGIN, END = "<!-- tree: `make tree` writes it -->\n", "<!-- /tree -->"


def tree() -> str:
    """Every module of every package, by folder."""
    parts = []
    for package in PACKAGES:
        for folder in sorted({path.parent for path in (ROOT / package).rglob("*.py")}):
            files = {path.name: _first_sentence(path) for path in sorted(folder.glob("*.py"))}
            about = files.pop("__init__.py", "")
            width = max(map(len, files), default=0)
            lines = [f"    {name:{width}}  {text}" for name, text in files.items()]
            parts.append("\n".join([f"{folder.relative_to(ROOT).as_posix()}/  {about}".rstrip(), *lines]))
    return "```text\n" + "\n\n".join(parts) + "\n```\n"


def written(page: str) -> str:
    """The page with the list as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + tree() + "\n" + END + after


def _first_sentence(path: Path) -> str:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=[.?!])\s", " ".join(told.split("\n\n")[0].split()))[0]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
