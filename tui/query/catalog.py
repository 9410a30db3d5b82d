"""The tables and views of the database, and their columns, beside the editor."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.widgets import Tree

from warehouse.read.relations import Source


class Catalog(Tree[str]):
    """A leaf holds the name of a column."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__("database", id=id)
        self.show_root = False
        self.guide_depth = 2

    def show(self, sources: Iterable[Source]) -> None:
        self.clear()
        muted = self.app.theme_variables["neutral"]
        for source in sources:
            node = self.root.add(Text.assemble(source.name, (f"  {source.kind}", muted)), data=source.name)
            for column, kind in source.columns.items():
                node.add_leaf(Text.assemble(column, (f"  {kind.lower()}", muted)), data=column)
