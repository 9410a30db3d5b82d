"""What a worker is at from its start to its first cells, as a picture: which stages lie side by side, and what waits.

Run: python benchmarks/stages.py OUT.svg [--run NAME=PRUNE_TUI]… [--journal NAME=FILE]… -- ARGUMENTS OF `prune-tui run`

Each NAME=PRUNE_TUI carries the run out with that command (`old=/elsewhere/bin/prune-tui`), one after another, in a new
database; each NAME=FILE takes a journal that is there. Journals of versions whose stages came one after another can be
drawn as well. Prints for each the seconds from the command to the first request and to the first score; of a journal
alone they count from when its libraries began to be imported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

_CELLS = "cells"
_COLOURS = {
    "import libraries": "#8a8f98", "read config": "#b0b5bd", "load tasks": "#4e79a7", "load model": "#59a14f",
    "hash weights": "#8cd17d", "set up scoring": "#b07aa1", "build requests": "#4e79a7", "sort neurons": "#d4a6c8",
    _CELLS: "#f28e2b",
}  # fmt: skip
_WIDTH, _LEFT, _LANE, _BAR = 960, 150, 20, 14  # pixels
_TICKS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120)  # seconds between two lines


@dataclass(frozen=True)
class Told:
    """Stages and cells of one run as (name, begin, end), in seconds since the command was given."""

    name: str
    spans: list[tuple[str, float, float]]
    first_request: float
    first_score: float
    end: float


def told(name: str, journal: Path, given: float | None) -> Told:
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    libraries = next(event for event in events if event["kind"] == "stage")
    zero = libraries["t"] - libraries["seconds"] if given is None else given
    spans = list(_spans(events, zero))
    cells = [(begin, end) for stage, begin, end in spans if stage == _CELLS]
    first = min(begin for begin, _ in cells)
    return Told(name, spans, first, cells[0][1], max(end for _, _, end in spans))


def _spans(events: list[dict[str, Any]], zero: float) -> Iterator[tuple[str, float, float]]:
    begun: dict[tuple[str, str], float] = {}  # cells are written down while others are asked
    for event in events:
        t = event["t"] - zero
        match event["kind"]:
            case "stage" if event["level"] is None:
                yield event["stage"], t - event["seconds"], t
            case "cell_started":
                begun[event["level"], event["task"]] = t
            case "cell" if not event["is_group"]:
                yield _CELLS, begun[event["level"], event["task"]], t
            case _:
                pass


def carried_out(prune_tui: str, arguments: list[str], folder: Path) -> tuple[Path, float]:
    """The journal of a run, and when its command was given."""
    given = time.time()
    database = folder / "results.duckdb"
    command = [prune_tui, "run", *arguments, "--quiet", "--db", str(database)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (journal,) = folder.glob("results.runs/*/journal.jsonl")
    return journal, given


def picture(runs: list[Told], until: float) -> str:
    """All runs below one another, on one scale that ends `until` seconds after the command."""
    scale = (_WIDTH - _LEFT - 20) / until
    parts: list[str] = []
    y = 10
    for run in runs:
        lanes = list(dict.fromkeys(stage for stage, _, _ in run.spans))
        lanes = [*[lane for lane in lanes if lane != _CELLS], _CELLS]
        bottom = y + 24 + _LANE * len(lanes)
        step = next((step for step in _TICKS if until / step <= 12), _TICKS[-1])
        for tick in range(int(until / step) + 1):
            x = _LEFT + tick * step * scale
            parts.append(f'<line class="tick" x1="{x:.1f}" y1="{y + 20}" x2="{x:.1f}" y2="{bottom}"/>')
            parts.append(
                f'<text class="small" x="{x:.1f}" y="{bottom + 12}" text-anchor="middle">{tick * step:g}</text>'
            )
        say = f"{run.name}: first request after {run.first_request:.1f} s, first score after {run.first_score:.1f} s"
        parts.append(f'<text class="title" x="10" y="{y + 12}">{escape(say)}</text>')
        for row, lane in enumerate(lanes):
            top = y + 24 + _LANE * row
            parts.append(f'<text x="{_LEFT - 8}" y="{top + 11}" text-anchor="end">{escape(lane)}</text>')
            for stage, begin, end in run.spans:
                if stage == lane and begin < until:
                    width = max((min(end, until) - begin) * scale - 0.5, 0.5)
                    colour, what = _COLOURS.get(lane, "#9c755f"), f"{lane}: {end - begin:.2f} s"
                    parts.append(
                        f'<rect x="{_LEFT + begin * scale:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" '
                        f'fill="{colour}"><title>{escape(what)}</title></rect>'
                    )
        x = _LEFT + run.first_request * scale
        parts.append(f'<line class="first" x1="{x:.1f}" y1="{y + 20}" x2="{x:.1f}" y2="{bottom}"/>')
        y = bottom + 30
    style = (
        "text{font:12px sans-serif;fill:#444}.small{font-size:10px}.title{font-weight:bold;fill:#222}"
        ".tick{stroke:#ddd}.first{stroke:#d62728;stroke-dasharray:3 2}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--run", action="append", default=[], metavar="NAME=PRUNE_TUI")
    parser.add_argument("--journal", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--until", type=float, help="seconds that the picture shows; the whole of the longest run")
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    given = parser.parse_args(words[:at])
    runs = [told(name, Path(file), None) for name, _, file in (one.partition("=") for one in given.journal)]
    for name, _, prune_tui in (one.partition("=") for one in given.run):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(told(name, *carried_out(prune_tui, words[at + 1 :], Path(folder))))
    for run in runs:
        print(
            f"{run.name}: first request {run.first_request:.2f} s, first score {run.first_score:.2f} s, "
            f"end {run.end:.2f} s"
        )
        for stage in dict.fromkeys(stage for stage, _, _ in run.spans):
            own = [end - begin for name, begin, end in run.spans if name == stage]
            print(f"  {stage}: {sum(own):.2f} s" + (f" in {len(own)}" if len(own) > 1 else ""))
    given.out.write_text(picture(runs, given.until or max(run.end for run in runs)), encoding="utf-8")


if __name__ == "__main__":
    main()
