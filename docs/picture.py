"""Draws the README's picture, docs/delta-table.svg: `python docs/picture.py`.

The figures are the published study's, which ship with prune-tui: the table is what `prune-tui run` shows at the end
of such a run.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from tui.cli.deltas import print_tables
from warehouse.importers import import_published
from warehouse.read.deltas import read_deltas

_CHARACTER = 12.2  # its width in Rich's pictures
MODEL = "meta-llama/Llama-3.2-1B"


_INDENTED = re.compile(
    r'x="(?P<x>[\d.]+)"(?P<y> y="[\d.]+") textLength="(?P<length>[\d.]+)"(?P<rest>[^>]*>)(?P<pad>(&#160;)+)'
)


def _shifted(text: re.Match[str]) -> str:
    """The text without its leading spaces, which some renderers drop, moved to where it stands with them."""
    pad = len(text["pad"]) / len("&#160;") * _CHARACTER
    x, length = float(text["x"]) + pad, float(text["length"]) - pad
    return f'x="{x:.1f}"{text["y"]} textLength="{length:.1f}"{text["rest"]}'


def without_leading_spaces(svg: str) -> str:
    """Rich's or Textual's picture, drawn alike by every renderer."""
    return _INDENTED.sub(_shifted, svg)


def main() -> None:
    screen = Console(record=True, file=io.StringIO(), width=80, markup=False, highlight=False, force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "results.duckdb"
        import_published(database)
        print_tables(screen, read_deltas(database, model=MODEL).tables)
    picture = Path(__file__).with_name("delta-table.svg")
    svg = screen.export_svg(title=f"{MODEL}, as published", theme=DIMMED_MONOKAI, unique_id="delta-table")
    # A picture may load no web fonts; readers have a monospaced one.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    picture.write_text(without_leading_spaces(svg), encoding="utf-8")


if __name__ == "__main__":
    main()
