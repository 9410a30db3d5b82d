"""A package that brings a pruning method, as pip would have installed it."""

from __future__ import annotations

import sys
from pathlib import Path

METHOD = """
TITLE = "first neurons"
FORMULA = "its index, from the end"
CITATION = "A. Author, *Firsts*, 2026"


def scores(layer):
    import torch

    return -torch.arange(len(layer.gate), dtype=torch.float32)
"""


def write_package(folder: Path, source: str = METHOD, *, method: str = "firsts", package: str = "prune-firsts") -> Path:
    """Into `folder`, which is then to come onto the path: a module of the method's name, and what declares it."""
    module = f"brings_{method}"
    sys.modules.pop(module, None)  # of a test before this one
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    about = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[prune_tui.pruning_methods]\n{method} = {module}\n")
    return folder
