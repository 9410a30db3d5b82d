"""How many small faults the tests would see: a sample of mutants, drawn by a seed that was committed before.

    python benchmarks/mutation.py record     once: the fast tests, noting which test reaches which line
    python benchmarks/mutation.py record slow        the same of the slow ones
    python benchmarks/mutation.py run        every mutant against the tests that reach it, to the first that fails;
                                             run 0 of 2 and run 1 of 2 share the work between two cores; run 17 20
                                             tries these two, again if need be
    python benchmarks/mutation.py slow       those that none of these noticed, against the slow tests that reach them;
                                             `slow 0 of 2` as above
    python benchmarks/mutation.py survivors  what is left against all fast tests, then all slow
    python benchmarks/mutation.py added      the tests that survivors called for (mutants/added.toml): each passes as
                                             the repository is now, and fails with its mutant
    python benchmarks/mutation.py table      docs/evidence/mutation.md

Each can be stopped at any time and goes on where it was: results are lines in .mutants/results.jsonl. All of it works
on a copy of the repository that the first command makes, so that nothing here changes, and the sample stays the same
while the repository goes on; deleting .mutants begins anew.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
from mutants.reach import Reach
from mutants.rules import Mutant, mutants_of

from warehouse.store import statements

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
STATE = ROOT / ".mutants"
COPY = STATE / "copy"
RESULTS = STATE / "results.jsonl"
RECORD = STATE / "record"  # of the fast tests, and of the slow ones
FAILING = "failing.json"  # in a record: tests that fail without a mutant, on this machine, and tell nothing
DRAWN = STATE / "drawn.json"
PAGE = ROOT / "docs" / "evidence" / "mutation.md"
EQUIVALENT = HERE / "mutants" / "equivalent.toml"  # number → why no test can tell
ADDED = HERE / "mutants" / "added.toml"  # number → the test that it called for
DRAW = tomllib.loads((HERE / "mutants" / "draw.toml").read_text(encoding="utf-8"))
FAST = ("reaching", "fast")  # stages
SLOW = ("reaching slow", "slow")
GIVEN_UP = "no test had failed"
PATIENCE = 400  # seconds for the tests of one mutant; those that have not failed by then count for nothing
TEST_PATIENCE = 120  # seconds for one test, which may never end: then it has failed


@dataclass(frozen=True, slots=True)
class Result:
    """How a stage went for one mutant: "killed" by a test, or "survived"."""

    number: int
    stage: str
    outcome: str
    by: str
    tests: int
    seconds: float


def draw() -> list[Mutant]:
    """The sample, the same for everybody who has the same files. SQL that DuckDB does not take is no mutant."""
    if DRAWN.exists():
        return [Mutant(**fields) for fields in json.loads(DRAWN.read_text(encoding="utf-8"))]
    files = [
        path
        for target in map(COPY.joinpath, DRAW["targets"])
        for path in ([target] if target.is_file() else sorted(target.rglob("*")))
        if path.suffix == (".sql" if target.parent.name == "sql" else ".py")
    ]
    every = [mutant for path in files for mutant in mutants_of(path, path.relative_to(COPY).as_posix())]
    random.Random(DRAW["seed"]).shuffle(every)
    chosen: list[Mutant] = []
    with duckdb.connect() as con:
        for text in (*(one.text for one in statements.migrations()), *statements.macros(), *_views()):
            con.execute(text)
        for mutant in every:
            if len(chosen) < DRAW["count"] and (mutant.path.endswith(".py") or _binds(con, mutant)):
                chosen.append(mutant)
    DRAWN.write_text(json.dumps([asdict(mutant) for mutant in chosen], indent=1), encoding="utf-8")
    return chosen


def _views() -> list[str]:
    return [*statements.views(), *(one.text for one in statements.studies())]


def _binds(con: duckdb.DuckDBPyConnection, mutant: Mutant) -> bool:
    """Whether the view and what builds on it can still be made."""
    original = (COPY / mutant.path).read_text(encoding="utf-8")
    views = _views()
    con.execute("begin")
    try:
        con.execute(mutant.applied(original))
        for text in views[views.index(original) + 1 :]:
            con.execute(text)
    except duckdb.Error:
        return False
    finally:
        con.execute("rollback")
    return True


def record(kind: str) -> None:
    """Run the fast or the slow tests once, and keep who reached what."""
    folder = RECORD / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    environment = os.environ | {"MUTANTS_STATE": str(folder), "PYTHONPATH": _python_path(COPY, COPY / "benchmarks")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "mutants.contexts", "-q", "-rfE", *_marked(kind)],
        cwd=COPY, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    print(done.stdout)
    (folder / FAILING).write_text(json.dumps(_failures(done.stdout)), encoding="utf-8")
    coverage = [sys.executable, "-m", "coverage", "combine", "-q", f"--data-file={folder}/coverage", str(folder)]
    subprocess.run(coverage, check=True)


def _marked(kind: str) -> list[str]:
    return ["--runslow", "-m", "slow"] if kind == "slow" else []


def run(index: int, count: int) -> None:
    done = {result.number for result in results() if result.stage != "added"}
    try_each([number for number in range(DRAW["count"]) if number not in done and number % count == index], index)


def slow(index: int, count: int) -> None:
    """Those that survived so far against the slow tests that reach them."""
    latest = {result.number: result for result in results() if result.stage != "added"}
    tried = {result.number for result in results() if result.stage == SLOW[0]}
    left = [number for number, one in sorted(latest.items()) if one.outcome == "survived" and number not in tried]
    try_each([number for number in left if number % count == index], index, "slow")


def try_each(numbers: Sequence[int], index: int = 0, kind: str = "fast") -> None:
    stage = SLOW[0] if kind == "slow" else FAST[0]
    failing, mutants = set(json.loads((RECORD / kind / FAILING).read_text(encoding="utf-8"))), draw()
    reach = Reach(COPY, RECORD / kind / "coverage", tests_of(kind))
    work = _work_copy(index)
    for number in numbers:
        mutant = mutants[number]
        tests = [test for test in reach.tests(mutant) if test not in failing]
        if not tests:
            _keep(Result(number, stage, "survived", "no test reaches it", 0, 0.0))
            continue
        with _applied(mutant, work):
            _note(number, stage, len(tests), work, ["-n", "0", *(["--runslow"] if kind == "slow" else []), *tests])


def tests_of(kind: str) -> list[str]:
    """Node ids of the fast or the slow tests that the copy has."""
    collecting = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": _python_path(COPY), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*collecting, *_marked(kind)], cwd=COPY, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


def survivors() -> None:
    """What survived so far against every fast test, and what is left against every slow one."""
    mutants, work = draw(), _work_copy(0)
    for stage in ("fast", "slow"):
        latest = {result.number: result for result in results() if result.stage != "added"}
        tried = {result.number for result in results() if result.stage == stage}
        for number, result in sorted(latest.items()):
            if result.outcome == "survived" and number not in tried:
                with _applied(mutants[number], work):
                    _note(number, stage, 0, work, _marked(stage))


def added() -> None:
    """Each test that a survivor called for, without its mutant and with it. Both are of the repository as it is now."""
    work, mutants, tests = STATE / "added", draw(), tomllib.loads(ADDED.read_text(encoding="utf-8"))
    tried = {(result.number, result.by) for result in results() if result.stage == "added"}
    left = {int(number): test for number, test in tests.items() if (int(number), test) not in tried}
    shutil.rmtree(work, ignore_errors=True)
    _copy_root(work)
    for number in left:
        path = mutants[number].path
        if (work / path).read_text(encoding="utf-8") != (COPY / path).read_text(encoding="utf-8"):
            raise SystemExit(f"{path} is not what mutant {number} was drawn from: delete .mutants, and begin anew.")
    done = _pytest(work, ["-n", "0", *dict.fromkeys(left.values())])
    if left and done.returncode != 0:
        raise SystemExit(f"Without a mutant not all of them pass:\n{done.stdout}{done.stderr}")
    for number, test in left.items():
        with _applied(mutants[number], work):
            begun = time.monotonic()
            failed = _failures(_pytest(work, ["-n", "0", test]).stdout)
            outcome = "killed" if failed else "survived"
            _keep(Result(number, "added", outcome, test, 1, round(time.monotonic() - begun, 1)))


@contextmanager
def _applied(mutant: Mutant, work: Path) -> Iterator[None]:
    """With the mutant in a working copy. One that is killed leaves it there, and the next is copied anew."""
    path = work / mutant.path
    before = path.read_text(encoding="utf-8")
    path.write_text(mutant.applied(before), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def _work_copy(index: int) -> Path:
    work = STATE / f"work{index}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(COPY, work)
    return work


def _make_copy() -> None:
    draft = STATE / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    _copy_root(draft)
    draft.rename(COPY)


def _copy_root(to: Path) -> None:
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(".git", ".venv*", ".mutants", "__pycache__", ".*_cache"))


def _note(number: int, stage: str, tests: int, work: Path, arguments: list[str]) -> None:
    """Run pytest in a working copy to its first failure, and keep what came of it."""
    begun = time.monotonic()
    try:
        done = _pytest(work, arguments)
    except subprocess.TimeoutExpired:
        outcome, by = "survived", f"{GIVEN_UP} after {PATIENCE} s, when it was given up"
    else:
        lines, failed = (done.stdout + done.stderr).splitlines(), _failures(done.stdout)
        by = failed[0] if failed else ""
        if done.returncode in (0, 5):
            outcome = "survived"
        elif "ERROR: not found" in done.stderr:
            raise RuntimeError(done.stderr)
        elif failed or done.returncode in (1, 2, 3, 4):
            outcome, by = "killed", by or (lines[-1] if lines else f"exit code {done.returncode}")
        else:
            raise RuntimeError(done.stdout + done.stderr)
    _keep(Result(number, stage, outcome, by, tests, round(time.monotonic() - begun, 1)))


def _pytest(work: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": _python_path(work), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", f"--timeout={TEST_PATIENCE}"]
    asked = work / "arguments"
    asked.write_text("\n".join([*options, *arguments]) + "\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"@{asked}"],
        cwd=work, env=environment, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def _failures(report: str) -> list[str]:
    """Node ids of the tests that pytest's summary lists as failed."""
    summary = [line.partition(" ") for line in report.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return [rest.split(" - ")[0] for _, _, rest in summary]


def _python_path(*folders: Path) -> str:
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])


def _keep(result: Result) -> None:
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")
    print(result, flush=True)


def results() -> list[Result]:
    if not RESULTS.exists():
        return []
    return [Result(**json.loads(line)) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def table() -> None:
    """Write docs/evidence/mutation.md: how many of the drawn were killed by which tests, and every one that was not."""
    mutants, latest = draw(), {(result.number, result.stage): result for result in results()}
    equivalent = {int(number): why for number, why in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).items()}
    tried = {number for number, _ in latest}
    killed = {
        stages: {number for (number, stage), one in latest.items() if stage in stages and one.outcome == "killed"}
        for stages in (FAST, (*FAST, *SLOW), (*FAST, "added"), (*FAST, *SLOW, "added"))
    }
    if wrong := killed[*FAST, *SLOW, "added"] & equivalent.keys():
        raise SystemExit(f"Mutants that a test told are no equivalent ones: {sorted(wrong)}")
    counted = tried - equivalent.keys()

    def row(what: str, numbers: set[int]) -> str:
        return f"| {what} | {len(numbers)} | {len(numbers) / max(len(counted), 1):.1%} |"

    beyond = {number for number, stage in latest if stage in SLOW}
    lines = [
        "# Mutants", "",
        f"`benchmarks/mutation.py` drew {len(mutants)} mutants with seed {DRAW['seed']} and tried {len(tried)}, each",
        "with the fast tests that reach its line or ask a view that builds on its own. Tests that were added because a",
        "mutant survived are counted apart: they were written with it in sight, and say nothing of other mutants.", "",
        "| | mutants | share |", "|---|---|---|",
        f"| equivalent, which no test can tell | {len(tried & equivalent.keys())} | |",
        row("others", counted),
        row("killed by the fast tests as they were", killed[FAST]),
        *([row("killed by fast and slow tests as they were", killed[*FAST, *SLOW])] if beyond else []),
        row("killed by the fast tests with those added", killed[*FAST, "added"]),
        *([row("killed by fast and slow tests with those added", killed[*FAST, *SLOW, "added"])] if beyond else []),
    ]  # fmt: skip
    if not beyond:
        lines += ["", "The slow tests were not tried: what they alone would kill is not in these shares."]
    by_hand = {
        number: one.by
        for (number, stage), one in latest.items()
        if stage == "added" and one.outcome == "killed" and number not in killed[*FAST, *SLOW]
    }
    survivors = dict.fromkeys(sorted(counted - killed[*FAST, *SLOW, "added"]), "no test yet")
    given_up = [one for one in latest.values() if one.by.startswith(GIVEN_UP)]
    for title, about, notes in (
        ("Survivors that called for a test", "Each was seen to fail with the mutant and to pass without.", by_hand),
        ("Survivors", "", survivors),
        ("Equivalent mutants", "", equivalent),
    ):
        if notes:
            lines += ["", f"## {title}", ""]
            lines += [about, ""] if about else []
            lines += ["| | place | change | |", "|---|---|---|---|"]
            lines += [_row(number, mutants[number], notes[number]) for number in sorted(notes)]
    if unmet := sorted(counted - {number for number, stage in latest if stage != "added"}):
        numbers = ", ".join(map(str, unmet))
        lines += ["", f"{numbers} met only the test that was added for them, not those there were: each counts as a"]
        lines += ["survivor of these."]
    if given_up:
        numbers = ", ".join(str(one.number) for one in given_up)
        lines += ["", f"Time ran out before all tests that reach {numbers} had been tried: each counts as a survivor."]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(number: int, mutant: Mutant, note: str) -> str:
    change = f"`{_cell(mutant.before)}` → `{_cell(mutant.after)}`"
    return f"| {number} | {mutant.path}:{mutant.line} | {change} | {_cell(note)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or " "


def main() -> int:
    STATE.mkdir(exist_ok=True)
    if not COPY.exists():
        _make_copy()
    match sys.argv[1:]:
        case ["draw"]:
            for number, mutant in enumerate(draw()):
                print(f"{number:4d} {mutant.path}:{mutant.line} {mutant.before!r} → {mutant.after!r}")
        case ["record"]:
            record("fast")
        case ["record", "slow"]:
            record("slow")
        case ["run"]:
            run(0, 1)
        case ["run", index, "of", count]:
            run(int(index), int(count))
        case ["run", *numbers] if numbers and all(map(str.isdecimal, numbers)):
            try_each([int(number) for number in numbers])
        case ["slow"]:
            slow(0, 1)
        case ["slow", index, "of", count]:
            slow(int(index), int(count))
        case ["survivors"]:
            survivors()
        case ["added"]:
            added()
        case ["table"]:
            table()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
