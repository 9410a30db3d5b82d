"""How long commands take to begin, as ratios to a bare Python that imports duckdb or asks it for one row.

    python benchmarks/starts.py [CHECKOUT] [TIMES]

CHECKOUT is the program to time, as `git worktree add` gives an older one; this one without. Each round runs every
command once with the bare Pythons between them, so that whatever else the machine does meets all of them. Medians of
TIMES (9) rounds, of the processor's time and of the clock's, and what each is of its reference. A machine that has
other work distorts the clock; the processor's time is the better measure there.

Databases, and a hundred runs copied from the recording that ships, lie in a folder of their own with a cache folder of
their own, which are filled before anything is timed: what an upgrade costs once is not in these numbers.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
RUNS = 100
BARE = {
    "import duckdb": "import duckdb",
    "select": "import duckdb; duckdb.sql('select 1').fetchall()",
    "import textual.app": "import textual.app",
}
_MAIN = "from prune_tui.__main__ import main; main()"
_FRESH = """
import sys
from pathlib import Path
from warehouse.store.db import open_write
with open_write(Path(sys.argv[1])):
    pass
"""


@dataclass(frozen=True)
class Case:
    """A command, what it is compared with (a bare Python's name, or another case's), and what makes it ready."""

    name: str
    words: Sequence[str]
    against: str
    statement: str = _MAIN
    first_line: bool = False  # timed to the first line on standard error, and ended then
    before: Callable[[], object] = lambda: None


@dataclass
class Times:
    processor: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)


def cases(work: Path) -> list[Case]:
    study, runs, fresh = (str(work / f"{name}.duckdb") for name in ("study", "runs", "fresh"))

    def remove() -> None:
        Path(fresh).unlink(missing_ok=True)
        shutil.rmtree(work / "fresh.runs", ignore_errors=True)

    run = ("run", "demo", "--db", fresh, "--levels", "0", "--tasks")
    return [
        Case("--help", ["--help"], "import duckdb"),
        Case("runs, a hundred", ["runs", "--db", runs], "import duckdb"),
        Case("export", ["export", "deltas", "--model", "Llama-3.2-1B", "--db", study], "import duckdb"),
        Case("sql", ["sql", "select 1", "--db", study], "select"),
        Case("a fresh database", [fresh], "import duckdb", _FRESH, before=remove),
        Case("import published", ["import", "published", "--db", fresh], "import duckdb", before=remove),
        Case("a wrong task", [*run, "pikqa"], "--help", before=remove),
        Case("a wrong folder", ["run", "./nowhere", *run[2:], "piqa"], "--help", before=remove),
        Case("a right run's first line", [*run, "demo_grammar"], "--help", first_line=True, before=remove),
    ]


def prepare(command: list[str], work: Path) -> None:
    """Databases, runs, and what is read once and kept."""

    def quietly(*words: str) -> None:
        subprocess.run([*command, *words], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    quietly("import", "published", "--db", str(work / "study.duckdb"))
    quietly("import", "published", "--db", str(work / "runs.duckdb"))
    recording = HERE / "tui" / "runs" / "recordings" / "demo"
    plan = json.loads((recording / "plan.json").read_text())
    for number in range(RUNS):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        folder = work / "runs.runs" / f"{at:%Y%m%d-%H%M%S}-{number:07x}"
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text(json.dumps(plan | {"database": "../../runs.duckdb"}))
        shutil.copy(recording / "journal.jsonl", folder)
    for case in cases(work):
        case.before()
        if case.statement is _MAIN and not case.first_line:
            quietly(*case.words)


def timed(command: Sequence[str], work: Path, *, first_line: bool) -> tuple[float, float]:
    """Seconds of the processor and of the clock; to the first line on standard error, the clock's alone."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    out = subprocess.PIPE if first_line else subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out, start_new_session=True
    )
    if first_line:
        assert process.stderr is not None
        process.stderr.readline()
        took = time.monotonic() - began
        used = sum(_times(process.pid))
        process.terminate()
        process.wait()
        stop = ["stop", "latest", "--force", "--timeout", "0", "--db", str(work / "fresh.duckdb")]
        subprocess.run([*command[:4], *stop], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return used, took
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - began


def _times(pid: int) -> tuple[float, float]:
    import psutil

    found = psutil.Process(pid).cpu_times()
    return found.user, found.system


def main(checkout: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(work / "cache")
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ.pop("PRUNE_TUI_DB", None)
        os.environ["PYTHONPATH"] = str(checkout)  # before what is installed, in the processes that commands start, too
        command = [sys.executable, "-P", "-c", _MAIN]
        prepare(command, work)
        found: dict[str, Times] = {}
        for _ in range(rounds):
            for name, statement in BARE.items():
                _note(found, name, timed([sys.executable, "-c", statement], work, first_line=False))
            for case in cases(work):
                case.before()
                ours = [*command[:3], case.statement]
                _note(found, case.name, timed([*ours, *case.words], work, first_line=case.first_line))
        print(f"{checkout}, medians of {rounds}")
        print(f"{'':26}{'processor':>10}{'clock':>10}   of")
        for name in BARE:
            _tell(name, found, None)
        for case in cases(work):
            _tell(case.name, found, case.against)


def _note(found: dict[str, Times], name: str, seconds: tuple[float, float]) -> None:
    times = found.setdefault(name, Times())
    times.processor.append(seconds[0])
    times.clock.append(seconds[1])


def _tell(name: str, found: dict[str, Times], against: str | None) -> None:
    processor, clock = (statistics.median(values) for values in (found[name].processor, found[name].clock))
    ratio = ""
    if against is not None:
        other = found[against]
        ratio = (
            f"   {processor / statistics.median(other.processor):.2f} ×, by the clock "
            f"{clock / statistics.median(other.clock):.2f} × of {against}"
        )
    print(f"{name:26}{processor:9.3f}s{clock:9.3f}s{ratio}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE, int(sys.argv[2]) if len(sys.argv) > 2 else 9)
