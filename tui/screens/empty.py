"""What a first start shows."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.widget import Widget
from textual.widgets import Static

_WORDS = """\
[b]What do I lose, and gain, when I make this LLM's MLPs narrower?[/b]

There are no runs here yet. Press

  [b $accent]d[/]  to measure the demo model: minutes, no GPU, no network
  [b $accent]i[/]  to bring in the published study of Llama 3.2
  [b $accent]n[/]  to choose a model of your own, levels and benchmarks

Results go to {database}\
"""


class EmptyState(Widget):
    """Three keys to begin with."""

    DEFAULT_CSS = """
    EmptyState { height: 1fr; align: center middle; }
    EmptyState Static { width: 74; max-width: 95%; height: auto; padding: 1 2; border: round $border; }
    EmptyState Center { height: auto; }
    EmptyState Middle { height: auto; }
    """

    def compose(self) -> ComposeResult:
        name = str(self.app.database).replace("[", r"\[")  # type: ignore[attr-defined]
        with Middle(), Center():
            yield Static(_WORDS.format(database=name))
