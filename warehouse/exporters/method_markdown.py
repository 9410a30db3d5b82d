"""Methods, repairs and calibrations of a model against each other, as Markdown: a line for two of them at a level."""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.exporters.markdown import escape, table_lines
from warehouse.exporters.significance import Shown, tests_in_words
from warehouse.read.deltas import Deltas, DeltaTable
from warehouse.read.grid import Benchmark
from warehouse.read.method_tests import MethodTest
from warehouse.records.names import pruned_with

_Line = tuple[float, str, str]


def methods_markdown(deltas: Deltas, show: Shown) -> list[str]:
    """For each model of which several tables are shown: what one method has more than another on the benchmarks of the
    tables, with a star where that is beyond noise, and how it was judged.
    """
    parts: list[str] = []
    for model_id in dict.fromkeys(test.model_id for test in deltas.method_tests):
        tables = {
            (table.method, table.repair, table.conditions): table
            for table in deltas.tables
            if any(width.model_id == model_id for width in table.grid.columns)
        }
        shown = [
            test
            for test in deltas.method_tests
            if test.model_id == model_id
            and (test.first_method, test.first_repair, test.first_conditions) in tables
            and (test.second_method, test.second_repair, test.second_conditions) in tables
        ]
        benchmarks = _benchmarks(tables.values(), shown)
        if benchmarks:
            parts += _of_a_model(shown, benchmarks, show)
    return parts


def _benchmarks(tables: Iterable[DeltaTable], tests: Iterable[MethodTest]) -> dict[tuple[object, ...], str]:
    """Names of what the tables show and methods were compared on, in the tables' order."""
    compared = {_key(test) for test in tests}
    rows = [row for table in tables for row in table.grid.rows if _key(row) in compared]
    return {_key(row): row.name for row in dict.fromkeys(rows)}


def _key(one: Benchmark | MethodTest) -> tuple[object, ...]:
    return one.task, one.metric, one.filter, one.num_fewshot, one.version


def _of_a_model(tests: list[MethodTest], benchmarks: dict[tuple[object, ...], str], show: Shown) -> list[str]:
    lines: dict[_Line, dict[tuple[object, ...], MethodTest]] = {}
    for test in tests:
        if (key := _key(test)) in benchmarks:
            lines.setdefault((test.pruning_pct, *_names(test)), {})[key] = test
    header = ["Pruning %", "first", "second", *map(escape, benchmarks.values())]
    rows = [
        [f"{pct:g}%", escape(first), escape(second), *(_cell(found.get(key), show) for key in benchmarks)]
        for (pct, first, second), found in lines.items()
    ]
    shown = [test for found in lines.values() for test in found.values()]
    kinds: dict[str, dict[str, None]] = {}
    for test in shown:
        if test.p_kind is not None:
            kinds.setdefault(test.p_kind, {})[test.benchmark] = None
    caption = (
        "What the second has more than the first, in percent of the unpruned score; of damage in its own unit. "
        r"\*: beyond noise, p ≤ 0.05 after Holm's correction over the benchmarks of a row, of damage over all rows of "
        f"its level. Tests: {tests_in_words(kinds)}."
    )
    if show.intervals:
        caption += " In brackets: 95 % intervals, not corrected."
    title = f"### {escape(tests[0].model)}, methods against each other"
    return [title, table_lines(header, rows, right=range(3, len(header))), caption]


def _names(test: MethodTest) -> tuple[str, str]:
    names = (
        pruned_with(test.first_method, test.first_repair).upper(),
        pruned_with(test.second_method, test.second_repair).upper(),
    )
    if test.first_conditions == test.second_conditions:
        return names
    told = (test.first_conditions or "conditions not known", test.second_conditions or "conditions not known")
    return f"{names[0]} ({told[0]})", f"{names[1]} ({told[1]})"


def _cell(test: MethodTest | None, show: Shown) -> str:
    if test is None:
        return "–"
    form = "+.4f" if test.measure == "value" else "+.1f"
    star = r"\*" if test.loses_more in ("first", "second") else ""
    if not show.intervals or test.ci_low is None or test.ci_high is None:
        return f"{test.difference:{form}}{star}"
    return rf"{test.difference:{form}}{star} \[{test.ci_low:{form}}, {test.ci_high:{form}}\]"
