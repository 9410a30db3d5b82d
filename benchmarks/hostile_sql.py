"""What statements with ill will get: `python benchmarks/hostile_sql.py` writes docs/evidence/hostile-sql.md.

Every statement of benchmarks/hostile.sql is given to what the Query screen runs (`run_sql` with its row limit) and to
`prune-tui sql`. After each, the database and the folder it lies in must be as they were, no secret may be in the
answer, and no process may be left. It takes some five minutes on two cores.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from warehouse.console.console import run_sql
from warehouse.errors import UserError
from warehouse.importers import import_published
from warehouse.text import one_line

STATEMENTS = Path(__file__).with_name("hostile.sql")
TABLE = Path(__file__).parents[1] / "docs" / "evidence" / "hostile-sql.md"
CANARY = "canary-4f1d"
TIMEOUT = 2.0
LONGEST = TIMEOUT + 8.0  # starting a process and killing it on a busy machine
_FILLING = {
    "columns": ", ".join(f"i % {n}" for n in range(2, 26)),
    "open": "(" * 20_000, "close": ")" * 20_000,
    "selects": "select (" * 5_000, "ends": ")" * 5_000,
    "plus": " + 1" * 200_000,
    "brackets": "[" * 20_000, "ends_brackets": "]" * 20_000,
    "long": "x" * 20_000_000,
    "null": "a\0b",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statement:
    """`tries` is "what it is after: how"; `text` is still to be filled in."""

    tries: str
    text: str

    def filled(self, folder: Path, database: Path) -> str:
        filling = _FILLING | {"folder": str(folder), "database": str(database)}
        text = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", lambda found: filling[found[1]], self.text)
        return text.replace("{{", "{").replace("}}", "}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`said` is the answer or the sentence of the refusal, on one line."""

    answered: bool
    said: str
    seconds: float


def statements() -> Iterator[Statement]:
    for block in STATEMENTS.read_text(encoding="utf-8").split("-- @ ")[1:]:
        tries, _, text = block.partition("\n")
        yield Statement(tries, text.strip())


def prepared(folder: Path) -> Path:
    """A database in a folder of its own, with a file beside it that nobody may read."""
    database = folder / "results.duckdb"
    import_published(database)
    (folder / "secret.csv").write_text(f"a,b\n{CANARY},2\n")
    (folder / "link").symlink_to("/etc/passwd")
    return database


def traces(folder: Path) -> list[tuple[str, str]]:
    return sorted((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in folder.iterdir())


def in_console(database: Path, text: str) -> Outcome:
    """As the Query screen runs it."""
    begun = time.monotonic()
    try:
        table = run_sql(database, text, timeout=TIMEOUT, row_limit=10_000)
    except UserError as error:
        return Outcome(False, str(error), time.monotonic() - begun)
    rows = " ".join(" ".join(str(value)[:100] for value in row) for row in table.rows[:100])
    return Outcome(True, f"{len(table.rows)} rows: {rows}", time.monotonic() - begun)


def in_command(database: Path, text: str) -> Outcome:
    """As `prune-tui sql -` runs it. Its own memory is limited to see that no answer fills it."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "prune_tui", "sql", "-", "--timeout", str(TIMEOUT), "--db", str(database)],
        input=text.encode(), capture_output=True, timeout=120,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert done.returncode in (0, 2), done.stderr.decode()
    said = (done.stdout if done.returncode == 0 else done.stderr).decode()
    return Outcome(done.returncode == 0, " ".join(said[:20_000].split()), time.monotonic() - begun)


def check(outcome: Outcome, tries: str) -> None:
    """What has to hold whichever way it went.

    Raises:
        AssertionError: a secret got out, it took too long, or it was answered and should not have been.
    """
    assert CANARY not in outcome.said, f"{tries}: a secret got out: {outcome.said}"
    assert "root:" not in outcome.said, f"{tries}: a file was read: {outcome.said}"
    assert outcome.seconds < LONGEST, f"{tries}: it took {outcome.seconds:.1f} s"
    if tries.partition(":")[0] in ("write", "file", "network", "extension", "setting", "program", "time"):
        assert not outcome.answered, f"{tries}: it was answered: {outcome.said}"


def _short(text: str, most: int) -> str:
    line = one_line(text)
    return (line if len(line) <= most else line[: most - 1] + "…").replace("|", "\\|").replace("`", "'")


def main() -> None:
    os.environ["HOSTILE_CANARY"] = CANARY
    lines, failed = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = prepared(folder)
        before = traces(folder)
        for statement in statements():
            text = statement.filled(folder, database)
            outcomes = in_console(database, text), in_command(database, text)
            for outcome in outcomes:
                try:
                    check(outcome, statement.tries)
                except AssertionError as error:
                    failed.append(str(error))
            if traces(folder) != before:
                failed.append(f"{statement.tries}: it left something in the folder")
                before = traces(folder)
            if left := psutil.Process().children(recursive=True):
                failed.append(f"{statement.tries}: it left {left}")
            words = ["answered" if outcome.answered else "refused" for outcome in outcomes]
            said = re.sub(re.escape(str(folder)), "…", outcomes[0].said)
            lines.append(
                f"| {_short(statement.tries, 80)} | `{_short(statement.text, 60)}` | {words[0]} | {words[1]} | "
                f"{max(outcome.seconds for outcome in outcomes):.1f} | {_short(said, 110)} |"
            )
            print(lines[-1], flush=True)
    TABLE.write_text(
        "# Hostile statements\n\n"
        f"Written by `benchmarks/hostile_sql.py`: each statement was given to the Query screen's console and to "
        f"`prune-tui sql`, with {TIMEOUT:g} seconds to run. Afterwards the database and its folder were the same byte "
        "for byte, no answer held the secret that lay beside it, and no process was left. "
        f"{len(lines)} statements, {sum('| refused | refused |' in line for line in lines)} refused by both; the "
        "others only look harmful, and were answered.\n\n"
        "| it tries | statement | console | command | seconds | what it got |\n|---|---|---|---|--:|---|\n"
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )
    print("\n".join(["", *failed]) if failed else "\nNothing got out, nothing was left.")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
