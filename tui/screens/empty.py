"""What a first start shows."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.cli.output import one_line

_WORDS = """\
[b]What do I lose, and gain, when I make this LLM's MLPs narrower?[/b]

There are no runs here yet. Press

  [b $accent]w[/]  to watch a recording of the demo: seconds, nothing is measured
  [b $accent]d[/]  to measure the demo model: minutes, no GPU, no network
  [b $accent]i[/]  to bring in the published study of Llama 3.2
  [b $accent]n[/]  to choose a model of your own, levels and benchmarks

Results go to $database\
"""


class EmptyState(Widget):
    """Four keys to begin with."""

    DEFAULT_CSS = """
    EmptyState { height: 1fr; align: center middle; }
    EmptyState Static { width: 74; max-width: 95%; height: auto; padding: 1 2; border: round $border; }
    EmptyState Center { height: auto; }
    EmptyState Middle { height: auto; }
    """

    def compose(self) -> ComposeResult:
        database = one_line(str(self.app.database))  # type: ignore[attr-defined]
        with Middle(), Center():
            yield Static(Content.from_markup(_WORDS, database=database))
