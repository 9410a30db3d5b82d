"""A line to type what a table is narrowed to."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class FilterLine(Input):
    """Its screen has the action `to_list`, which goes to the table with what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "screen.to_list", "To the list", key_display="⏎"),
    ]
