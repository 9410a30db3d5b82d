"""Draws the dashboard's pictures, docs/screens/*.png and docs/session.svg: `python docs/pictures.py`.

They are of a real session: the published study is imported and read, the demo is measured by two methods, and another
run is filled in, started, watched and read. It takes about five minutes, and needs rsvg-convert (librsvg2-bin),
pngquant and DejaVu's fonts.
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

from film import Film
from picture import without_leading_spaces
from textual.pilot import Pilot
from textual.widgets import Input, Select, Static

from tui.app import Dashboard
from tui.compare.costs_screen import CostsScreen
from tui.new_run.screen import NewRunScreen
from tui.query.sql_editor import SqlEditor
from tui.results.cell_screen import CellScreen
from tui.results.documents_screen import DocumentsScreen
from tui.results.plot_screen import PlotScreen
from tui.results.screen import ResultsScreen
from tui.runs.run_screen import RunScreen
from tui.runs.sweep_screen import SweepScreen
from tui.shell.choose import ChooseOne
from tui.widgets.grid import Grid

SCREENS = Path(__file__).with_name("screens")
FILM = Path(__file__).with_name("session.svg")
NORMAL = (120, 40)
PIXELS = {(80, 24): 900, NORMAL: 1200, (200, 60): 1800}
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
            _write(_drawn(pilot), "too-late", PIXELS[NORMAL])
            raise TimeoutError("the session did not come to the next picture: screens/too-late.png has where it was")
        await pilot.pause(0.1)
    await pilot.pause(1.0)


async def _take(pilot: Pilot[None], name: str) -> None:
    """A picture of the screen at each size."""
    for size in PIXELS:
        await pilot.resize_terminal(*size)
        await pilot.pause(1.0)
        _write(_drawn(pilot), f"{name}-{size[0]}x{size[1]}", PIXELS[size])
    await pilot.resize_terminal(*NORMAL)
    await pilot.pause(1.0)


def _drawn(pilot: Pilot[None]) -> str:
    """An SVG that loads no font."""
    svg = pilot.app.export_screenshot(title="prune-tui")
    return _FONT_FACE.sub("", without_leading_spaces(svg))


def _write(svg: str, name: str, pixels: int) -> None:
    svg = svg.replace("Fira Code", "DejaVu Sans Mono")
    # The picture's columns are 12.2 units, and DejaVu's characters 0.602 of their size.
    svg = svg.replace("font-size: 20px", "font-size: 20.27px")
    picture = SCREENS / f"{name}.png"
    png = subprocess.run(["rsvg-convert", f"--width={pixels}"], input=svg.encode(), stdout=subprocess.PIPE, check=True)
    less = ["pngquant", "--speed=1", "--nofs", "64", "-"]
    small = subprocess.run(less, input=png.stdout, stdout=subprocess.PIPE, check=True)
    picture.write_bytes(small.stdout)
    print(f"{picture.name}: {picture.stat().st_size / 1000:.0f} kB", flush=True)


async def read(database: Path) -> None:
    """What the study found: Results, a plot, Compare, Query, Claims."""
    app = Dashboard(database)
    async with app.run_test(size=NORMAL) as pilot:
        await pilot.press("2")
        await _until(
            pilot, lambda: app.screen.query("#matrix") and str(app.screen.query_one("#results-detail", Static).render())
        )
        await pilot.press("down", "down", "right", "right", "right")
        await _take(pilot, "results")
        await pilot.press("P")
        await _until(pilot, lambda: isinstance(app.screen, PlotScreen))
        await _take(pilot, "plot")
        await pilot.press("escape", "3")
        await _until(pilot, lambda: app.screen.query("#compare-body") and app.screen.query_one("#compare-body").display)
        await pilot.press(*["right_square_bracket"] * 3)
        await _take(pilot, "compare")
        await pilot.press("dollar_sign")
        await _until(pilot, lambda: isinstance(app.screen, CostsScreen) and app.screen.priced is not None)
        await _take(pilot, "costs")
        await pilot.press("escape")
        await pilot.press("4")
        await _until(pilot, lambda: app.screen.query(SqlEditor) and app.screen.query(SqlEditor).first().sources)
        app.screen.query(SqlEditor).first().text = QUERY
        await pilot.press("f5")
        await _until(pilot, lambda: any(len(grid.model) for grid in app.screen.query(Grid)))
        await _take(pilot, "query")
        await pilot.press("escape", "5")
        await _until(
            pilot, lambda: app.screen.query("#claims-list") and len(app.screen.query_one("#claims-list", Grid).model)
        )
        await _take(pilot, "claims")


async def work(database: Path) -> None:
    """A run from its form to one of its questions, and a film of that."""
    app, film = Dashboard(database), Film()
    async with app.run_test(size=NORMAL) as pilot:
        await _until(pilot, lambda: app.feed.snapshot.runs and app.feed.snapshot.timings)
        film.add(_drawn(pilot), 2)
        await pilot.press("n")
        await _until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        form = app.screen
        for field, text in {"model": "demo", "name": "demo-again"}.items():
            form.query_one(f"#{field}", Input).value = text
            await pilot.pause(1.0)
            film.add(_drawn(pilot), 1)
        form.query_one("#suite", Select).value = "demo"
        await _until(pilot, lambda: "weights" in str(form.query_one("#memory", Static).render()))
        film.add(_drawn(pilot), 3)
        await _take(pilot, "new-run")
        await pilot.press("ctrl+s")
        await _until(pilot, lambda: isinstance(app.screen, RunScreen))
        run = app.screen
        assert isinstance(run, RunScreen)
        await _until(pilot, lambda: run.detail and run.detail.row.done >= 1)
        film.add(_drawn(pilot), 1)
        await _take(pilot, "run")
        while any(row.running for row in app.feed.snapshot.runs):
            film.add(_drawn(pilot), 1)
            await pilot.pause(2.0)
        await _until(pilot, lambda: not any(row.running for row in app.feed.snapshot.runs))
        film.add(_drawn(pilot), 3)
        await pilot.press("2")
        await _until(
            pilot, lambda: app.screen.query("#matrix") and str(app.screen.query_one("#results-detail", Static).render())
        )
        await pilot.press("down", "right", "right", "right", "right")
        await pilot.pause(2.0)
        film.add(_drawn(pilot), 3)
        await pilot.press("enter")
        await _until(
            pilot, lambda: isinstance(app.screen, CellScreen) and app.screen.query("#cell-flips").first().display
        )
        await _take(pilot, "cell")
        film.add(_drawn(pilot), 3)
        await pilot.press("enter")
        await _until(pilot, lambda: isinstance(app.screen, DocumentsScreen))
        await pilot.press("f")
        await pilot.pause(2.0)
        await _take(pilot, "documents")
        film.add(_drawn(pilot), 4)
        await pilot.press("escape", "escape", "escape", "3")
        await _until(pilot, lambda: app.screen.query("#compare-body") and app.screen.query_one("#compare-body").display)
        await pilot.press(*["right_square_bracket"] * 3)
        await _take(pilot, "methods")
        film.add(_drawn(pilot), 4)
        await pilot.press("2", "W")
        await _until(pilot, lambda: isinstance(app.screen, ChooseOne))
        await pilot.press("down", "enter")
        await _until(pilot, lambda: isinstance(app.screen, ResultsScreen) and app.screen.sweep is not None)
        await _take(pilot, "sweep-results")
        await asyncio.to_thread(_prune_tui, "import", "published")
        await pilot.press("1", "escape")
        await _until(pilot, lambda: len(app.feed.snapshot.runs) > 6)
        await _take(pilot, "runs")
        await pilot.press("down", "enter")
        await _until(pilot, lambda: isinstance(app.screen, SweepScreen) and app.screen.row is not None)
        await _take(pilot, "sweep")
    film.write(FILM)
    print(f"{FILM.name}: {FILM.stat().st_size / 1000:.0f} kB")


def main() -> None:
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # the queries of whoever runs this are their own
        os.chdir(folder)
        _prune_tui("import", "published", "--db", "study.duckdb")
        asyncio.run(read(Path("study.duckdb")))
        _prune_tui("demo", "--method", "maw,obs", "--repair", "none,lsq")
        asyncio.run(work(Path("results.duckdb")))


def _prune_tui(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "prune_tui", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
