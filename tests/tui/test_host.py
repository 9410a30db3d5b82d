"""The dashboard has what its screens ask of it."""

from __future__ import annotations

from pathlib import Path

from tui.app import Dashboard
from tui.host import Host
from tui.runs.host import RunsHost


def asked_of(protocol: type) -> set[str]:
    return {name for one in protocol.__mro__ for name in vars(one) if not name.startswith("_")}


def test_the_dashboard_is_what_screens_take_it_for(tmp_path: Path):
    dashboard: RunsHost = Dashboard(tmp_path / "results.duckdb")  # pyright compares the types as well
    assert {"database", "entries", "about", "copy_text", "import_published", "action_export"} == asked_of(Host)
    assert asked_of(RunsHost) > asked_of(Host) | {"feed", "attempt", "open_run"}
    for name in asked_of(RunsHost):
        assert hasattr(dashboard, name), name
