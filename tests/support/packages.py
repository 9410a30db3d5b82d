"""Other people's packages, as an installation leaves them: modules, and metadata with entry points beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


class Packages:
    """A folder on the path that packages are put into; what was imported from it is forgotten with the test."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.syspath_prepend(folder)

    def add(self, package: str, files: dict[str, str], entries: str = "", summary: str = "A summary") -> None:
        """`files` are texts by path; `entries` is the text of `entry_points.txt`."""
        about = self.folder / f"{package.replace('-', '_')}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\nSummary: {summary}\n")
        (about / "entry_points.txt").write_text(entries)
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text, encoding="utf-8")

    def loaded(self) -> set[str]:
        """Names of the modules that were imported from here."""
        return {name for name, module in sys.modules.items() if self._is_here(getattr(module, "__file__", None))}

    def forget(self) -> None:
        for name in self.loaded():
            del sys.modules[name]

    def _is_here(self, file: str | None) -> bool:
        return file is not None and Path(file).is_relative_to(self.folder)
