"""Showing the dashboard until it is closed."""

from __future__ import annotations

from pathlib import Path

from tui.app import Dashboard


def open_dashboard(database: Path) -> int:
    """Show the dashboard until it is closed; returns the exit code."""
    return _show(Dashboard(database))


def open_replay(database: Path, folder: Path, *, speed: float) -> int:
    """Play a run back; leaving it shows the dashboard. Returns the exit code."""
    return _show(Dashboard(database, replay=(folder, speed)))


def _show(app: Dashboard) -> int:
    app.run()
    app.feed.join()  # a thread that loads duckdb must not be cut off
    if app.started:
        from tui.runs.actions import remove_refused

        remove_refused(app.started, app.feed.snapshot.runs)
    return app.return_code or 0
