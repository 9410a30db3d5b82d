"""How fast the dashboard is: first paint, keys while a run works, and a database with a million metric rows.

Run: python benchmarks/dashboard.py [FOLDER], where FOLDER keeps the large database for the next time.

All is timed in a pseudo-terminal of 160 × 45: from the start of the process, or from a key, to the bytes that draw
what was waited for.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
from terminal import Terminal

from warehouse.importers import import_published

RUN = "benchmark"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
SIZE = (160, 45)
PAUSE = 0.13  # seconds between keys, as when one is held down slowly


def prune_tui(database: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "prune_tui", *words, "--db", str(database)]


def say(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    high, worst = ordered[int(0.95 * len(ordered))], ordered[-1]
    print(f"{what}: median {statistics.median(ordered):.0f} ms, 95 % within {high:.0f}, worst {worst:.0f}")


def press(terminal: Terminal, key: str, shown: str) -> float:
    """Milliseconds from a key until `shown` is drawn."""
    pressed = terminal.press(key)
    return 1000 * (terminal.wait(shown) - pressed)


def to_and_fro(
    terminal: Terminal, there: tuple[str, str], back: tuple[str, str], go_on: Callable[[int], bool]
) -> list[float]:
    """Press two keys in turn, each with what it makes the line below the table say."""
    times: list[float] = []
    while go_on(len(times)):
        for key, shown in (there, back):
            times.append(press(terminal, key, shown))
            terminal.rest(PAUSE)
    return times


def first_paint(database: Path, name: str, times: int = 7) -> None:
    screens, lists = [], []
    for _ in range(times):
        with Terminal(prune_tui(database), size=SIZE) as terminal:
            screens.append(1000 * (terminal.wait("Quit") - terminal.started))
            lists.append(1000 * (terminal.wait(name) - terminal.started))
    say("First paint, the screen", screens)
    say("First paint, the runs on it", lists)


def keys_during_a_run(database: Path) -> None:
    levels = ",".join(str(level) for level in range(0, 65, 5))
    asked = prune_tui(database, "run", "demo", "--suite", "demo", "--levels", levels, "--name", RUN)
    with (
        subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run,
        Terminal(prune_tui(database), size=SIZE) as terminal,
    ):
        terminal.wait("running")
        press(terminal, "\r", "demo_story unpruned")
        down, up = (DOWN, "demo_lambada unpruned"), (UP, "demo_story unpruned")
        say("Key to repaint while a run works", to_and_fro(terminal, down, up, lambda _: run.poll() is None))
        say("Key to repaint after it", to_and_fro(terminal, down, up, lambda done: done < 60))


def million(database: Path) -> None:
    if not database.exists():
        import_published(database)
        with duckdb.connect(database) as con:
            con.execute(Path(__file__).with_name("million_metrics.sql").read_text(encoding="utf-8"))
    with duckdb.connect(database, read_only=True) as con:
        print(f"{con.table('metrics').count('*').fetchall()[0][0]:,} metric rows:")
    right, left = (RIGHT, "at 40%: "), (LEFT, "at 10%: ")
    with Terminal(prune_tui(database), size=SIZE) as terminal:
        terminal.wait("Quit")
        terminal.rest(1.5)  # for what is imported while nobody waits
        print(f"Results, key to matrix of 3 models: {press(terminal, '2', 'at 10%: ') / 1000:.2f} s")
        say("Results, key to repaint", to_and_fro(terminal, right, left, lambda done: done < 100))

        def changed(done: int) -> bool:
            database.touch()  # seen within two seconds, and read anew
            return done < 100

        say("Results, the same while it reads", to_and_fro(terminal, right, left, changed))
        print(f"Compare, key to table: {press(terminal, '3', 'is best on') / 1000:.2f} s")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "work.duckdb")
        keys_during_a_run(work)
        first_paint(work, RUN)
        million(Path(sys.argv[1] if len(sys.argv) > 1 else folder, "million.duckdb"))


if __name__ == "__main__":
    main()
