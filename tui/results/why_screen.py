"""Where a number came from, and whether its sources still say the same: `prune-tui why` on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from engine.runs import rundir
from tui.host import host
from tui.shell import clipboard
from warehouse.errors import UserError

if TYPE_CHECKING:
    from warehouse.read.metric_lookup import MetricQuery
    from warehouse.read.trace import Provenance, Trace

_COLOURS = {"✓": "gain", "✗": "loss", "–": "neutral"}


def wanted(row: Mapping[str, Any]) -> MetricQuery:
    """The number that a row of a view or a query is about.

    Raises:
        UserError: the row does not say which.
    """
    from warehouse.read.metric_lookup import MetricQuery

    def text(*names: str) -> str | None:
        found = next((row[name] for name in names if row.get(name) is not None), None)
        return None if found is None else str(found)

    model, task = text("model_id", "model"), text("task", "benchmark")
    level = text("level", "pruning_pct")
    missing = [name for name, found in (("model", model), ("level", level), ("task", task)) if found is None]
    if model is None or level is None or task is None:
        raise UserError(
            f"This row does not say which number it is about: it has no {', no '.join(missing)}. Select model, level "
            "(or pruning_pct) and task, and metric, filter, method, repair and conditions where several fit."
        )
    shots = row.get("num_fewshot")
    return MetricQuery(
        model=model, level=level, task=task, metric=text("metric"), filter=text("filter"), method=text("method"),
        repair=text("repair"), conditions=text("conditions"), shots=None if shots is None else int(shots),
        version=text("version"),
    )  # fmt: skip


class WhyScreen(ModalScreen[None]):
    """Follows one number back; reading happens in a thread."""

    CSS = """
    WhyScreen .dialog { width: 110; padding: 0 1; }
    WhyScreen VerticalScroll { height: auto; max-height: 100%; }
    WhyScreen Static { height: auto; }
    WhyScreen Label { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,w,q", "dismiss", "Back", key_display="esc"),
        Binding("y", "copy", "Copy"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, number: MetricQuery) -> None:
        super().__init__()
        self._wanted = number
        self.trace: Trace | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Where this number came from"
            with VerticalScroll():
                yield Static("Reading…", id="why-says", markup=False)
                yield Static(id="why-verdict")
                yield Static(id="why-number")
                yield Static(id="why-baseline")
            yield Label("[b]↑↓[/b] more · [b]y[/b] copy as JSON · [b]esc[/b] back", classes="muted")

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.run_worker(self._read, thread=True)

    def _read(self) -> None:
        from warehouse.read.trace import trace

        database = host(self).database
        try:
            found = trace(database, self._wanted, rundir.runs_root(database))
        except UserError as error:
            self.app.call_from_thread(self._failed, str(error))
        else:
            self.app.call_from_thread(self._show, found)

    def _failed(self, message: str) -> None:
        if self.is_mounted:
            self.query_one("#why-says", Static).update(Text(message))

    def _show(self, found: Trace) -> None:
        if not self.is_mounted:
            return
        from tui.results import provenance

        self.trace = found
        self.query_one("#why-says", Static).update(Text(_printable(provenance.headline(found))))
        colour = self.app.theme_variables["foreground" if found.holds else "loss"]
        self.query_one("#why-verdict", Static).update(Text(provenance.verdict(found), style=f"bold {colour}"))
        self.query_one("#why-number", Static).update(self._table(found.origin, "This number"))
        if found.baseline is not None:
            self.query_one("#why-baseline", Static).update(self._table(found.baseline, "Its baseline, unpruned"))

    def _table(self, origin: Provenance, title: str) -> Table:
        from tui.results import provenance

        colours = self.app.theme_variables
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True, style=colours["neutral"])
        table.add_column(overflow="fold")
        table.add_row("", "")
        table.add_row("", Text(title, style="bold"))
        for label, told in provenance.lines(origin):
            text = Text(_printable(told))
            if label == "checked":
                text.stylize(colours[_COLOURS[told[0]]], 0, 1)
            table.add_row(label, text)
        return table

    def action_copy(self) -> None:
        if self.trace is None:
            return
        from tui.results import provenance

        try:
            self.notify(clipboard.copy(self.app, provenance.dumps(self.trace), name="why", suffix=".json"))
        except OSError as error:
            self.notify(f"It cannot be copied: {error.strerror}.", severity="error")

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
