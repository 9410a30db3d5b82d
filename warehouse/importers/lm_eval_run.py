"""A result file of lm-eval as a run: of which model and level it is, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warehouse.importers.batch import ImportedRun
from warehouse.importers.importer import Context, NoResults, Source
from warehouse.importers.lm_eval import ResultFile, read_results
from warehouse.importers.subject import subject_of
from warehouse.records.level import Level


def read_file(file: ResultFile, source: Source, context: Context) -> ImportedRun | NoResults:
    """The file's numbers and samples; `file` has its content in the form of lm-eval 0.4.

    Raises:
        UserError: it cannot be told what was measured.
        KeyError, TypeError, ValueError, AttributeError, OverflowError: not as lm-eval writes them.
    """
    said = context.said
    subject = subject_of(file.path, file.measured, said, context.models)
    asked = Level.parse(subject.level)
    level = asked.amount if asked.kind == "pct" else subject.level
    # As earlier versions named an import, so that one is known again.
    named = subject.model if said.model is None and subject.model != file.model else said.model
    digest = source.digest(named, level, subject.method)
    run = read_results(file, subject, f"lm-eval-{digest}", context.scratch)
    return run if run.metrics else NoResults(_no_metric(file.data["results"]))


def _no_metric(results: Mapping[str, Any]) -> str:
    if not results:
        return "no metric in it that can be read: its results are empty"
    if not any("," in name for result in results.values() for name in result):
        return "no metric in it that can be read (lm-eval before 0.4, or another program's)"
    return f"no metric in it that can be read: those of {', '.join(list(results)[:3])} have no values"
