"""Ten jobs of a researcher's day, counted in key presses: `python benchmarks/key_presses.py [CHECKOUT]`.

Each is done by pressing its keys in a dashboard of 160 × 45, and counts only if what was to be done is done then: a
plan is on disk, a file is written, words are on the screen. A letter is a press, and so is one with shift or ctrl.
CHECKOUT is one of commit 8f726e3, the program before it was made one to live in, with an environment in `.venv`: the
same jobs are done there by the keys that it had.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from textual.pilot import Pilot

from tui.app import Dashboard

BEFORE, TODAY = "before", "today"
SIZE = (160, 45)
_PATIENCE = 120.0  # seconds
_MOMENT = 0.4  # seconds between keys: they go where a person sees them go
_NAMED = {
    " ": "space", ",": "comma", "_": "underscore", "=": "equals_sign", ".": "full_stop", "-": "minus",
}  # fmt: skip

Fact = Callable[["State"], object]


@dataclass(frozen=True, slots=True)
class State:
    """What can be seen from outside: the words on the screen, and the files in the folder."""

    screen: str
    folder: Path

    def plans(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text())["plan"] for path in self.folder.glob("results.runs/*/plan.json")]

    def rows(self, sql: str) -> list[Any]:
        try:
            with duckdb.connect(self.folder / "results.duckdb", read_only=True) as con:
                return con.execute(sql).fetchall()
        except duckdb.Error:  # it is not there yet, or being written to
            return []

    def says(self, *words: str) -> bool:
        return all(word in self.screen for word in words)


@dataclass(frozen=True, slots=True)
class See:
    """No key: a person waits here until the screen says so."""

    words: str


@dataclass(frozen=True, slots=True)
class Gone:
    """No key: a person waits here until the screen says so no more."""

    words: str


@dataclass(frozen=True, slots=True)
class Text:
    """Typed letter by letter, and each counts."""

    letters: str


Step = str | See | Gone | Text


@dataclass(frozen=True, slots=True)
class Job:
    """`before` and `today` are the keys; None where it cannot be done."""

    what: str
    before: tuple[Step, ...] | None
    today: tuple[Step, ...]
    done: Fact
    begin: str = "measured"  # or "empty", or "at work"


_OPEN_RESULTS = ("2", See("▏demo"))
_TO_BOOLQ = (
    *_OPEN_RESULTS, "m", See("[x]"), "a", "a", "down", "down", "down", "space", "enter", See("▏Llama-3.2-1B"),
)  # fmt: skip

JOBS = (
    Job(
        "start a run of the demo, its MLPs pruned by `obs` and repaired by `lsq`",
        None,
        (
            "n", See("What will happen"), Text("demo"), "tab", "tab", "enter", "o", "enter", "tab", "tab", "enter", "l",
            "enter", See("--repair lsq"), "ctrl+s",
        ),
        lambda state: any((plan["method"], plan["repair"]) == ("obs", "lsq") for plan in state.plans()),
    ),
    Job(
        "see which levels keep BoolQ, of Llama 3.2 1B in the study",
        _TO_BOOLQ,
        (See("published scores of Llama-3.2-1B "), "G", "enter"),
        lambda state: state.says("BoolQ", "▏Llama-3.2-1B") and not state.says("▏demo"),
    ),
    Job(
        "open a question that flipped: its prompt, and what both levels answered",
        None,
        (*_OPEN_RESULTS, "G", "right", "enter", See("got worse"), "enter", See("Documents of"), "f"),
        lambda state: state.says("Documents of demo_sums", "flipped", "Gold answer", "Generated text"),
    ),
    Job(
        "compare two methods at 40 %, by a test",
        ("3", See("is best on"), "right_square_bracket", See("308"), "t"),
        ("3", See("is best on"), "right_square_bracket", See("308"), "t"),
        lambda state: state.says("Which loses more at 40%", "Holm p"),
    ),
    Job(
        "stop a run at work, and take it up again",
        ("x", See("stopped"), "r"),
        ("x", See("stopped"), "r"),
        lambda state: state.says("running"),
        begin="at work",
    ),
    Job(
        "write the table of changes to a Markdown file",
        (*_OPEN_RESULTS, "ctrl+e", See("Markdown"), "enter"),
        (*_OPEN_RESULTS, "ctrl+e", See("Markdown"), "enter"),
        lambda state: any("demo_sums" in path.read_text() for path in state.folder.glob("*.md")),
    ),
    Job(
        "ask in SQL for all changes at 40 %",
        (
            "4", See("baseline_deltas"), Text("select benchmark, delta_pct from bas"), See("view"), "tab",
            Text(" where pru"), "tab", Text("=40"), "f5",
        ),
        (
            "4", See("baseline_deltas"), Text("select ben"), "tab", Text(", delta_p"), "tab", Text(" from bas"), "tab",
            Text(" where pru"), "tab", Text("=40"), "f5",
        ),
        lambda state: state.says(" rows · 2 columns", "benchmark", "delta_pct"),
    ),
    Job(
        "bring in the published study",
        ("i",),
        ("I",),
        lambda state: state.rows("from models where model = 'meta-llama/Llama-3.2-3B'"),
        begin="empty",
    ),
    Job(
        "delete three runs",
        ("d", See("for good"), "y", Gone("vow"), "d", See("for good"), "y", Gone("l2"), "d", See("for good"), "y"),
        ("space", "space", "space", "d", See("for good"), "y"),
        lambda state: not state.plans(),
    ),
    Job(
        "see what a run made of its device: use and memory over time",
        ("enter",),
        (),
        lambda state: state.says("use ", "mem", "█"),
    ),
)  # fmt: skip


def pressed(steps: Sequence[Step]) -> int:
    return sum(len(step.letters) if isinstance(step, Text) else isinstance(step, str) for step in steps)


def screen_text(pilot: Pilot[None]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def do(job: Job, keys: Sequence[Step], folder: Path) -> None:
    """Raises:
    TimeoutError: the screen never said what was waited for, or the job was not done.
    """
    app = Dashboard(folder / "results.duckdb")
    async with app.run_test(size=SIZE) as pilot:

        async def until(fact: Fact, what: str) -> None:
            deadline = time.monotonic() + _PATIENCE
            while not fact(State(screen_text(pilot), folder)):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{job.what}: not {what}\n{screen_text(pilot)}")
                await pilot.pause(0.05)

        ready = {"empty": "There are no runs here yet", "at work": "running"}.get(job.begin, "finished")
        await until(lambda state: state.says(ready), ready)
        for step in keys:
            match step:
                case See(words):
                    await until(lambda state, words=words: state.says(words), words)
                case Gone(words):
                    await until(lambda state, words=words: not state.says(words), f"without {words}")
                case Text(letters):
                    await pilot.press(*(_NAMED.get(letter, letter) for letter in letters))
                case key:
                    await pilot.press(key)
            await pilot.pause(_MOMENT)
        await until(job.done, "done")
        if any(row.running for row in app.feed.snapshot.runs):
            await pilot.press("x")
            await until(lambda _: not any(row.running for row in app.feed.snapshot.runs), "stopped")


def prune_tui(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "prune_tui", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def measured(folder: Path) -> None:
    """The study, and the demo by three methods: what the jobs begin with."""
    prune_tui(folder, "import", "published")
    for method in ("maw", "l2", "vow"):
        asked = ["run", "demo", "--suite", "demo", "--levels", "0,20,40", "--method", method, "--name", method]
        prune_tui(folder, *asked, "--quiet")


def count(program: str) -> list[int | None]:
    """The presses of each job, all of them done."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve()
        os.environ["XDG_DATA_HOME"] = str(home / "data")  # the queries of whoever runs this are their own
        begin = home / "measured"
        begin.mkdir()
        measured(begin)
        counts: list[int | None] = []
        for number, job in enumerate(JOBS):
            keys = job.before if program == BEFORE else job.today
            if keys is None:
                counts.append(None)
                continue
            folder = home / f"job-{number}"
            if job.begin == "empty":
                folder.mkdir()
            else:
                shutil.copytree(begin, folder)
            os.chdir(folder)
            if job.begin == "at work":
                levels = ",".join(str(level) for level in range(0, 65, 5))
                prune_tui(folder, "run", "demo", "--suite", "demo", "--levels", levels, "--detach")
            asyncio.run(do(job, keys, folder))
            counts.append(pressed(keys))
            print(f"{program}, {job.what}: {counts[-1]}", file=sys.stderr, flush=True)
    return counts


def main() -> None:
    if sys.argv[1:] == [f"--{BEFORE}"]:
        print(json.dumps(count(BEFORE)))
        return
    today, before = count(TODAY), list[int | None](len(JOBS) * [None])
    if sys.argv[1:]:
        python = Path(sys.argv[1]).resolve() / ".venv/bin/python"
        told = subprocess.run([python, __file__, f"--{BEFORE}"], check=True, stdout=subprocess.PIPE, text=True)
        before = json.loads(told.stdout.splitlines()[-1])
    print("| job | before | today |\n|---|---|---|")
    for job, old, new in zip(JOBS, before, today, strict=True):
        print(f"| {job.what} | {'–' if old is None else old} | {new} |")
    both = [(old, new) for old, new in zip(before, today, strict=True) if old is not None]
    print(f"| all that could be done before | {sum(old for old, _ in both)} | {sum(new or 0 for _, new in both)} |")


if __name__ == "__main__":
    main()
