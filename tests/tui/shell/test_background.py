"""What comes late finds what it needs, or is not done."""

from __future__ import annotations

from textual.app import App
from textual.containers import Vertical
from textual.widgets import Label

from tui.shell.background import after_refresh


async def test_what_waits_for_the_next_frame_is_not_done_in_a_widget_that_goes():
    done: list[str] = []

    class Page(App[None]):
        def compose(self):
            yield Vertical(Label("here", id="inner"), id="stays")
            yield Vertical(Label("gone", id="inner"), id="goes")

    async with Page().run_test() as pilot:
        stays, goes = pilot.app.query_one("#stays"), pilot.app.query_one("#goes")
        for widget in (stays, goes):
            after_refresh(widget, lambda widget=widget: done.append(str(widget.query_one("#inner", Label).render())))
        await goes.remove()
        await pilot.pause()
    assert done == ["here"]
