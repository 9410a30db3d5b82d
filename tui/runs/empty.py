"""What a first start shows."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Center, Middle
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui.host import host
from warehouse.text import one_line

_WORDS = """\
[b]What do I lose, and gain, when I make this LLM's MLPs narrower?[/b]

There are no runs here yet. Press

  [b $accent]R[/]  to watch a recording of the demo: seconds, nothing is measured
  [b $accent]D[/]  to measure the demo model: minutes, no GPU, no network
  [b $accent]I[/]  to bring in the published study of Llama 3.2
  [b $accent]n[/]  to choose a model of your own, levels and benchmarks

"""
_NONE, _UNREAD = "There are no runs here yet.", "Whether there are runs cannot be told: see below."


class EmptyState(Widget):
    """Four keys to begin with, and where results go or why they cannot."""

    DEFAULT_CSS = """
    EmptyState { height: 1fr; align: center middle; }
    EmptyState Static { width: 74; max-width: 95%; height: auto; padding: 1 2; border: round $border; }
    EmptyState Center { height: auto; }
    EmptyState Middle { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._problem: str | None = ""  # none shown yet

    def compose(self) -> ComposeResult:
        with Middle(), Center():
            yield Static()

    def show(self, problem: str | None) -> None:
        """`problem` is what is the matter with the database, if anything is."""
        if problem == self._problem:
            return
        self._problem = problem
        database = one_line(str(host(self).database))
        words, where = _WORDS, Content(f"Results go to {database}")
        if problem:
            words = words.replace(_NONE, _UNREAD)
            where = Content.styled(f"! {one_line(problem)}", "$loss")
        self.query_one(Static).update(Content.from_markup(words) + where)
