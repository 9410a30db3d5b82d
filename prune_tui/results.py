"""The results file as polars frames; `.to_pandas()` of any of them is the same in pandas."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from engine.runs.digests import Digests
from engine.runs.rundir import runs_root
from warehouse.console.console import run_sql
from warehouse.exporters import outfile
from warehouse.exporters.export import export_deltas
from warehouse.exporters.frame import frame
from warehouse.exporters.tables import Table, unique_names
from warehouse.merging.merge import MergeReport, merge_all
from warehouse.read.deltas import read_deltas
from warehouse.read.runs import ModelSummary, RunSummary, list_models, list_runs

if TYPE_CHECKING:
    from warehouse.exporters.bundle import BundleReport
    from warehouse.importers import ImportReport

# DuckDB's types whose columns have one even where every value is null, or there is no row.
_TYPES: dict[str, pl.DataType] = {
    "BOOLEAN": pl.Boolean(), "VARCHAR": pl.String(), "DOUBLE": pl.Float64(), "FLOAT": pl.Float32(),
    "BIGINT": pl.Int64(), "INTEGER": pl.Int32(), "DATE": pl.Date(), "TIMESTAMP": pl.Datetime("us"),
}  # fmt: skip


class Warehouse:
    """One results file, opened for as long as each question takes: runs go on writing to it in between.

    Args:
        path: the DuckDB file. It need not be there yet: an import or a run creates it.
        wait: seconds to go on trying while another process holds the file.

    Every method raises `DatabaseBusyError` where that was not enough, and `UserError` where the file is not there, is
    no results file, is damaged, or is from a newer prune-tui.
    """

    def __init__(self, path: str | Path = "results.duckdb", *, wait: float = 2.0) -> None:
        self.path = Path(path)
        self.wait = wait

    def __repr__(self) -> str:
        return f"Warehouse({str(self.path)!r})"

    def runs(self) -> pl.DataFrame:
        """Runs and imports, newest first, one a row: run_id, name, origin, model, method, repair, calibrated_on, sweep,
        conditions, created_at (UTC), state, cells_done, cells_failed, and levels, a list of texts.
        """
        return _of(RunSummary, list_runs(self.path, wait=self.wait))

    def models(self) -> pl.DataFrame:
        """Unpruned models by name, one a row: model_id, model, weights_hash, runs (how many), origins (a list)."""
        return _of(ModelSummary, list_models(self.path, wait=self.wait))

    def deltas(
        self,
        model: str,
        *,
        method: str | None = None,
        repair: str | None = None,
        tasks: Collection[str] = (),
        metrics: Collection[str] = (),
        wide: bool = False,
    ) -> pl.DataFrame:
        """A model's scores at each width, and what changed against the unpruned one, under all conditions.

        Long form has a row for each width and metric. `value`, `baseline` and `delta` are in the metric's own unit (an
        accuracy is between 0 and 1), `delta_pct` and `ci_low_pct` to `ci_high_pct` (its 95 % interval) in percent of
        the baseline, `pruning_pct` in percent of the neurons; `verdict` is gain, loss or noise, and null in the rows of
        the unpruned model, which have no delta. Wide form has a row for each width, and for each benchmark a column of
        values (`piqa/acc`) and one of percent changes (`piqa/acc/delta_pct`).

        Args:
            model: its name, the part of it after the slash, or a model_id.
            method: of pruning; None for all.
            repair: none or lsq; None for all.
            tasks: only these, by lm-eval's names; parts of groups as well.
            metrics: these in place of each task's main one.

        Raises:
            UserError: no such model, method, repair, task or metric; the sentence lists what there is.
        """
        deltas = read_deltas(
            self.path, model=model, method=method, repair=repair, tasks=tasks, metrics=metrics, wait=self.wait
        )
        return frame(deltas, wide=wide)

    def sql(self, statement: str, *, timeout: float = 30.0, row_limit: int | None = None) -> pl.DataFrame:
        """One statement, read-only, in a process of its own that reaches no other file and is killed after `timeout`
        seconds; at most `row_limit` rows. Columns of the same name get a number.

        Raises:
            UserError: the statement is wrong or was refused, or took too long or too much memory.
        """
        return _frame(run_sql(self.path, statement, timeout=timeout, row_limit=row_limit, wait=self.wait))

    def export(
        self,
        model: str | Sequence[str],
        *,
        format: str = "markdown",  # noqa: A002
        method: str | None = None,
        repair: str | None = None,
        tasks: Collection[str] = (),
        metrics: Collection[str] = (),
        wide: bool = False,
        side_by_side: bool = False,
        levels: Collection[str] = (),
        significance: bool = False,
        intervals: bool = False,
        digits: int | None = None,
        short: Mapping[str, str] | None = None,
        to: str | Path | None = None,
        replace: bool = False,
    ) -> str | bytes:
        """`deltas` as a text for a paper ("markdown" and "latex", always wide) or for a program ("csv", "json"); bytes
        for "parquet" and "xlsx". Several models make one table, of LaTeX and Excel with `digits` decimals of scores and
        `short` names instead of models' and benchmarks' own. In Markdown `significance` marks the changes beyond noise
        and `intervals` adds their 95 % intervals. `side_by_side` has all models, methods and `levels` in one table, a
        column for each, in Markdown, LaTeX and CSV.

        `to` is a file to write it into as well.

        Raises:
            UserError: as `deltas`; or the file's folder is missing, or it is a database.
            TakenError: the file exists, and `replace` was not given.
        """
        content = export_deltas(
            self.path,
            model=model,
            method=method,
            repair=repair,
            format=format,
            wide=wide,
            side_by_side=side_by_side,
            levels=levels,
            tasks=tasks,
            metrics=metrics,
            significance=significance,
            intervals=intervals,
            digits=digits,
            short=short,
        )
        if to is not None:
            data = content.encode() if isinstance(content, str) else content
            outfile.write(Path(to), data, self.path, replace=replace)
        return content

    def export_bundle(
        self, to: str | Path, *, models: Sequence[str] = (), runs: Sequence[str] = (), replace: bool = False
    ) -> BundleReport:
        """All that somebody else needs to check a table, in one file: every run, or those of `models` and `runs`.

        Raises:
            UserError: there is no such run or model; or as `export`.
            TakenError: the file exists, and `replace` was not given.
        """
        from warehouse.exporters.bundle import write_bundle

        fill = partial(write_bundle, self.path, models=models, runs=runs, wait=self.wait)
        return outfile.write_by(Path(to), fill, self.path, replace=replace)

    def import_published(self) -> ImportReport:
        """Bring in the figures of Martra 2025 (arXiv 2512.22671), which ship with the program. Doing so again changes
        nothing.
        """
        from warehouse.importers import import_published

        return import_published(self.path, wait=self.wait)

    def import_results(
        self,
        *paths: str | Path,
        model: str | None = None,
        level: str | float | None = None,
        method: str | None = None,
        replace: bool = False,
    ) -> ImportReport:
        """Bring in lm-eval's result files, or folders of them: all or nothing.

        `model` (the unpruned one), `level` and `method` say what the files do not; `replace` lets numbers give way.

        Raises:
            UserError: there is nothing to import, or a file is damaged.
            WouldReplaceError: numbers would give way, and `replace` was not given.
        """
        from warehouse.importers import import_paths

        return import_paths(
            self.path,
            [Path(path) for path in paths],
            model=model,
            level=level,
            method=method,
            replace_values=replace,
            wait=self.wait,
        )

    def merge(self) -> MergeReport:
        """Bring over what runs recorded while another process held the file.

        The report names runs whose journals are damaged, cut back or not what the database has.
        """
        report = merge_all(self.path, runs_root(self.path), wait=self.wait)
        report.unreadable = Digests.load(self.path).damaged() | report.unreadable
        return report


def _of(kind: type[RunSummary | ModelSummary], summaries: Sequence[RunSummary | ModelSummary]) -> pl.DataFrame:
    names = list(kind.__dataclass_fields__)
    rows: list[list[Any]] = [[getattr(one, name) for name in names] for one in summaries]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def _frame(table: Table) -> pl.DataFrame:
    names = unique_names(table.columns)
    schema = {name: _TYPES.get(of) for name, of in zip(names, table.types, strict=True)}
    return pl.DataFrame(table.rows, schema=schema, orient="row", infer_schema_length=None)
