"""Three walks through the code, by the modules that each passes: docs/evidence/house.md has what came of it.

    python benchmarks/walks.py [FOLDER [SCORE]]

FOLDER is a checkout, this one unless another is given; SCORE is the function that scores a task there, as
FILE:FUNCTION. The demo is run, merged and shown by the programs themselves with `walking/sitecustomize.py` on their
path, which says what a module has to do to be counted. Prints the three lists of files. It takes three to five minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from terminal import Terminal

SCORE = "engine/evaluation/scoring.py:score"
_ENTRY = "from {0} import main; main()"
_DELTA = "select value, delta_pct from baseline_deltas where task = 'demo_story' and metric = 'word_perplexity'"


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    score = sys.argv[2] if len(sys.argv) > 2 else SCORE
    with tempfile.TemporaryDirectory() as folder:
        for title, files in walks(root, score, Path(folder)).items():
            print(f"## {title}: {len(files)} modules\n\n" + "\n".join(files) + "\n", flush=True)


def walks(root: Path, score: str, work: Path) -> dict[str, list[str]]:
    entry = "prune_tui.__main__" if (root / "prune_tui").is_dir() else "tui.cli"
    command = [sys.executable, "-c", _ENTRY.format(entry)]
    common = {
        "WALK_ROOT": str(root), "PYTHONPATH": f"{Path(__file__).parent / 'walking'}:{root}", "HF_HUB_OFFLINE": "1",
        "XDG_CACHE_HOME": str(work / "cache"), "XDG_CONFIG_HOME": str(work / "config"),
    }  # fmt: skip

    def run(walk: str, *arguments: str, **settings: str) -> None:
        walked = common | {"WALK_OUT": str(work / walk)} | settings
        subprocess.run([*command, *arguments], cwd=root, env=os.environ | walked, check=True, capture_output=True)

    level, scored = work / "level.duckdb", work / "scored.duckdb"
    run("level", "run", "demo", "--levels", "0,37.5", "--tasks", "demo_facts", "--db", str(level),
        WALK_NUMBERS="37.5", WALK_TEXTS=r"37\.5")  # fmt: skip
    run("request", "run", "demo", "--levels", "0,40", "--tasks", "demo_story,demo_facts", "--db", str(scored),
        WALK_WITHIN=score)  # fmt: skip
    with duckdb.connect(str(scored), read_only=True) as con:
        [(value, change)] = con.execute(_DELTA + " and pruning_pct > 0").fetchall()
    shown = f"{abs(change):.1f}"
    marks = {"WALK_NUMBERS": f"{value} {change}", "WALK_TEXTS": rf"(?<![\d.]){shown.replace('.', '[.]')}(?![\d])"}
    shown_file = work / "shown.duckdb"
    shutil.copytree(work / "scored.runs", work / "shown.runs")
    run("event", "merge", "--db", str(shown_file), **marks)
    os.environ.update(common | {"WALK_OUT": str(work / "event")} | marks)
    os.chdir(root)
    with Terminal([*command, "--db", str(shown_file)], size=(160, 45)) as dashboard:
        dashboard.wait("Runs", seconds=120)
        dashboard.rest(20)
        dashboard.press("2")
        dashboard.wait(shown, seconds=120)
        dashboard.rest(5)
    titles = {"level": "level text → row", "request": "request → score", "event": "event → delta on screen"}
    return {title: sorted(set((work / name).read_text(encoding="utf-8").split())) for name, title in titles.items()}


if __name__ == "__main__":
    main()
