"""`diff`: two runs of the same plan side by side."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tui.cli.completion import complete_runs
from tui.cli.options import DEFAULT_DATABASE, Database, Debug, Json, refuse_two_formats
from tui.cli.output import print_json
from warehouse.text import one_line, printable

if TYPE_CHECKING:
    from warehouse.exporters.tables import Table
    from warehouse.read.run_diff import Compared, RunDiff

_RUN = "Its id, the beginning of one, its name, or `latest`."
_DOCUMENTS = 10


def diff(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help=_RUN, autocompletion=complete_runs)],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help=_RUN, autocompletion=complete_runs)],
    format_: Annotated[
        Literal["table", "markdown", "json"] | None,
        typer.Option("--format", help="How to print.", show_default="table"),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List the numbers that are the same, too.")] = False,
    as_json: Json = False,
    db: Database = DEFAULT_DATABASE,
    debug: Debug = False,
) -> None:
    """Compare two runs: same, within noise, or different, and where.

    Same means equal to the last bit, document by document where those were kept. Noise is judged by McNemar's exact
    test for right and wrong answers, by a paired z test for other scores, from the standard errors where there are no
    documents, and at 5 % after Holm's correction over all numbers. Exit code 0: same or within noise; 1: different,
    or one run lacks numbers that the other has; 2: no such runs.
    """
    from warehouse.read.run_diff import diff_runs

    refuse_two_formats(format_, as_json)
    how = "json" if as_json else format_ or "table"
    comparison = diff_runs(db, run_a, run_b)
    if how == "json":
        print_json(_plain(comparison))
    else:
        sys.stdout.write(printable(_text(comparison, how, everything=everything)))
    if comparison.verdict == "different":
        raise typer.Exit(1)


def _text(comparison: RunDiff, format_: Literal["table", "markdown"], *, everything: bool) -> str:
    from warehouse.exporters.markdown import escape
    from warehouse.exporters.tables import format_table

    written = escape if format_ == "markdown" else one_line
    heading = "### " if format_ == "markdown" else ""
    a, b = (f"{run.run_id} ({run.name})" for run in (comparison.a, comparison.b))
    parts = [f"{heading}{written(f'{a} and {b}')}: {comparison.verdict}", _counts(comparison)]
    if comparison.differences:
        parts += ["What the runs were and ran on:", format_table(_differences(comparison), format_).rstrip()]
    else:
        parts.append("Plan, versions, machine, model and tasks are the same.")
    listed = [one for one in comparison.numbers if everything or one.verdict in ("different", "within noise")]
    if listed:
        parts += ["Numbers:", format_table(_numbers(listed), format_).rstrip()]
    if changed := [one for one in listed if one.which and one.verdict != "same"]:
        parts.append("Documents whose score changed, A to B, the largest changes first:")
        parts.append("\n".join(f"{'- ' if heading else ''}{written(_documents(one))}" for one in changed))
    for missing_from, run in (("a", a), ("b", b)):
        lacking = [one for one in comparison.of("missing") if one.missing_from == missing_from]
        if lacking:
            parts.append(written(f"{run} lacks {_cells(lacking)}."))
    return "\n\n".join(parts) + "\n"


def _counts(comparison: RunDiff) -> str:
    counts = Counter(one.verdict for one in comparison.numbers)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"{len(comparison.numbers)} numbers: {summary}."


def _differences(comparison: RunDiff) -> Table:
    from warehouse.exporters.tables import Table

    rows = [(one.what, _short(one.a), _short(one.b)) for one in comparison.differences]
    return Table(["what", "A", "B"], ["VARCHAR"] * 3, rows)


def _numbers(listed: list[Compared]) -> Table:
    from warehouse.exporters.tables import Table

    rows = [
        (one.level, one.task, _metric(one), one.a, one.b, "" if one.p is None else f"{one.p:.2g}", one.test or "",
         one.verdict, one.why)
        for one in listed
    ]  # fmt: skip
    columns = ["level", "task", "metric", "A", "B", "p (Holm)", "test", "verdict", "why"]
    types = ["VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "DOUBLE", *["VARCHAR"] * 4]
    return Table(columns, types, rows)


def _documents(one: Compared) -> str:
    named = [
        f"{f'{document.task} ' if document.task != one.task else ''}{document.doc_id} ({document.a:g} → {document.b:g})"
        if document.a is not None and document.b is not None
        else f"{document.doc_id}"
        for document in one.which[:_DOCUMENTS]
    ]
    more = (one.changed or 0) - len(named)
    rest = f" and {more} more" if more > 0 else ""
    return f"{one.level} {one.task} {_metric(one)}: {', '.join(named)}{rest}"


def _cells(numbers: list[Compared]) -> str:
    by_level: dict[str, list[str]] = {}
    for one in numbers:
        tasks = by_level.setdefault(one.level, [])
        if one.task not in tasks:
            tasks.append(one.task)
    return "; ".join(f"{', '.join(tasks)} at {level}" for level, tasks in by_level.items())


def _metric(one: Compared) -> str:
    return one.metric if one.filter == "none" else f"{one.metric},{one.filter}"


def _short(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _plain(comparison: RunDiff) -> dict[str, Any]:
    runs = {side: {"run_id": run.run_id, "name": run.name} for side, run in (("a", comparison.a), ("b", comparison.b))}
    return {
        "verdict": comparison.verdict,
        **runs,
        "differences": [asdict(one) for one in comparison.differences],
        "numbers": [asdict(one) for one in comparison.numbers],
    }
