"""Draws the dashboard's pictures, docs/screens/*.png: `python docs/pictures.py`.

They are of a real session: the published study is imported and read, the demo is measured, and a second run is filled
in, started and watched. It takes about two minutes, and needs rsvg-convert (librsvg2-bin), pngquant and DejaVu's fonts.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from picture import without_leading_spaces
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from tui.app import Dashboard
from tui.new_run.screen import NewRunScreen
from tui.query.sql_editor import SqlEditor
from tui.runs.run_screen import RunScreen
from tui.widgets.grid import Grid

SCREENS = Path(__file__).with_name("screens")
WIDE, NARROW = (160, 45), (80, 24)
PIXELS = {WIDE: 1400, NARROW: 900}
QUERY = """\
-- Where does halving the MLPs hurt most, and where does it help?
select model, benchmark, value, baseline, round(delta_pct, 1) as delta_pct,
    round(delta / stderr, 1) as sigmas
from baseline_deltas
where is_headline and pruning_pct = 50
order by delta_pct desc
"""
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_LONG = 120.0  # seconds


async def _until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    deadline = time.monotonic() + _LONG
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the session did not come to the next picture")
        await pilot.pause(0.1)
    await pilot.pause(1.0)


async def _take(pilot: Pilot[None], name: str, *sizes: tuple[int, int]) -> None:
    for size in sizes:
        await pilot.resize_terminal(*size)
        await pilot.pause(1.0)
        _write(pilot.app.export_screenshot(title="prune-tui"), f"{name}-{size[0]}x{size[1]}", PIXELS[size])
    await pilot.resize_terminal(*WIDE)


def _write(svg: str, name: str, pixels: int) -> None:
    svg = _FONT_FACE.sub("", without_leading_spaces(svg)).replace("Fira Code", "DejaVu Sans Mono")
    # The picture's columns are 12.2 units, and DejaVu's characters 0.602 of their size.
    svg = svg.replace("font-size: 20px", "font-size: 20.27px")
    picture = SCREENS / f"{name}.png"
    png = subprocess.run(["rsvg-convert", f"--width={pixels}"], input=svg.encode(), stdout=subprocess.PIPE, check=True)
    small = subprocess.run(["pngquant", "--speed=1", "64", "-"], input=png.stdout, stdout=subprocess.PIPE, check=True)
    picture.write_bytes(small.stdout)
    print(f"{picture.name}: {picture.stat().st_size / 1000:.0f} kB")


async def read(database: Path) -> None:
    """What the study found: Results, a plot, Compare, Query."""
    app = Dashboard(database)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await _until(
            pilot, lambda: app.screen.query("#matrix") and str(app.screen.query_one("#results-detail", Static).render())
        )
        await pilot.press("down", "down", "right", "right", "right")
        await _take(pilot, "results", WIDE, NARROW)
        await pilot.press("P")
        await _take(pilot, "plot", WIDE)
        await pilot.press("escape", "3")
        await _until(pilot, lambda: app.screen.query("#compare-body") and app.screen.query_one("#compare-body").display)
        await _take(pilot, "compare", WIDE)
        await pilot.press("4")
        await _until(pilot, lambda: app.screen.query(SqlEditor) and app.screen.query_one(SqlEditor).sources)
        app.screen.query_one(SqlEditor).text = QUERY
        await pilot.press("f5")
        await _until(pilot, lambda: len(app.screen.query_one("#answer", Grid).model))
        await _take(pilot, "query", WIDE)


async def work(database: Path) -> None:
    """A run from its form to its end."""
    app = Dashboard(database)
    async with app.run_test(size=WIDE) as pilot:
        await _until(pilot, lambda: app.feed.snapshot.runs and app.feed.snapshot.timings)
        await pilot.press("n")
        await _until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        form = app.screen
        for field, text in {"model": "demo", "name": "demo-again"}.items():
            form.query_one(f"#{field}", Input).value = text
        form.query_one("#suite", Select).value = "demo"
        await _until(pilot, lambda: "weights" in str(form.query_one("#memory", Static).render()))
        await _take(pilot, "new-run", WIDE)
        await pilot.press("ctrl+s")
        await _until(pilot, lambda: isinstance(app.screen, RunScreen))
        run = app.screen
        assert isinstance(run, RunScreen)
        await _until(pilot, lambda: run.detail and run.detail.row.done >= 30)
        await _take(pilot, "run", WIDE, NARROW)
        await pilot.press("escape", "up")
        await _take(pilot, "runs", WIDE)
        await _until(pilot, lambda: not any(row.running for row in app.feed.snapshot.runs))


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # the queries of whoever runs this are their own
        os.chdir(folder)
        database = Path("results.duckdb")
        _prune_tui("import", "published")
        asyncio.run(read(database))
        _prune_tui("demo")
        asyncio.run(work(database))


def _prune_tui(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "prune_tui", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
