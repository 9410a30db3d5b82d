"""Lists on a terminal: lines of columns below their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import typer

from tui.cli.output import console


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> None:
    """Lines of columns, those named in `right` ranged right; folded where a terminal is too narrow, which takes Rich a
    while for thousands.
    """
    from rich.cells import cell_len
    from rich.table import Table

    widths = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    screen = console()
    if screen.is_terminal and sum(widths) + 2 * len(widths) > screen.width:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in header:
            table.add_column(name, overflow="fold", justify="right" if name in right else "left")
        for row in rows:
            table.add_row(*row)
        screen.print(table)
        return
    for row in (header, *rows):
        cells = []
        for name, text, width in zip(header, row, widths, strict=True):
            room = " " * (width - cell_len(text))
            cells.append(room + text if name in right else text + room)
        typer.echo("  ".join(cells).rstrip())
