"""`doctor`: is everything there that a run needs?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json
from tui.cli.output import console, print_json
from warehouse.text import one_line

_MARKS = {"fine": ("✓", "green"), "note": ("!", "yellow"), "problem": ("✗", "red")}


def doctor(as_json: Json = False, db: Database = DEFAULT_DATABASE, debug: Debug = False) -> None:
    """Check GPU, driver, torch, hub, disk, database and runs, and say what to do about each finding."""
    from rich.text import Text

    from tui.cli.checks import checks

    screen = console()
    findings = []
    for finding in checks(db):
        findings.append(finding)
        if not as_json:
            mark, style = _MARKS[finding.verdict]
            screen.print(Text.assemble((mark, style), f" {finding.subject}: {one_line(finding.text)}"), soft_wrap=True)
            if finding.advice:
                screen.print(Text(f"  → {one_line(finding.advice)}", style="cyan"), soft_wrap=True)
    stops = any(finding.verdict == "problem" for finding in findings)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "can_run": not stops})
    raise typer.Exit(1 if stops else 0)
