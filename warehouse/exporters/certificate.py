"""The certificate of an exported file: what it scored under a run's plan, and what of the loss is whose.

    {"format": "prune-tui certificate", "prune_tui": "1.0", "certified_at": "2026-11-30T12:00:00+00:00",
     "file": {"name": "llama-40-q8_0.gguf", "weights_hash": "…", "tokenizer_hash": "…", "bytes": 991234, …},
     "of": {… as `prune_tui.json` has it …}, "run": "…", "scored_by": "…", "engine": "transformers", "plan": {…},
     "conditions": {…}, "versions": {…}, "numbers": [{"task": "piqa", "metric": "acc", "filter": "none",
       "headline": true, "unpruned": 0.74, "pruned": 0.66, "file": 0.66, "pruning": {…}, "export": {…}}]}

`pruning` is from the unpruned model to the run's pruned level, `export` from there to the file: what dtype, padding,
quantisation and, where `engine` is another one than the run's, that engine's arithmetic cost. Both compare the same
documents in pairs. No path and no host of the machine is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from warehouse.exporters.markdown import code, escape, table_lines
from warehouse.numbers import json_number
from warehouse.read.run_diff import Compared

FORMAT = "prune-tui certificate"
_OF_RUNS = "transformers"
_PATHS = ("model", "include_paths", "name", "sweep", "sweep_name", "device", "batch_tokens", "use_cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """`of` is the checkpoint's record, `run` the run it is like, `scored_by` the one that scored it by `engine`."""

    engine: str
    file: Mapping[str, Any]
    of: Mapping[str, Any]
    run: str
    scored_by: str
    plan: Mapping[str, Any]
    conditions: Mapping[str, Any]
    versions: Mapping[str, str | None]
    pruning: Sequence[Compared]
    export: Sequence[Compared]
    headlines: frozenset[tuple[str, str, str]]

    def plain(self) -> dict[str, Any]:
        """As JSON can write it."""
        calibration = self.plan.get("calibration")
        told = {name: value for name, value in self.plan.items() if name not in _PATHS}
        if calibration is not None:
            told["calibration"] = Path(str(calibration)).name
        return {
            "format": FORMAT,
            "prune_tui": version("prune-tui"),
            "certified_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "file": dict(self.file),
            "of": dict(self.of),
            "run": self.run,
            "scored_by": self.scored_by,
            "engine": self.engine,
            "plan": told,
            "conditions": dict(self.conditions),
            "versions": dict(self.versions),
            "numbers": [self._number(*both) for both in self._pairs()],
        }

    def _pairs(self) -> list[tuple[Compared, Compared]]:
        after = {(one.task, one.metric, one.filter): one for one in self.export}
        keys = [((one.task, one.metric, one.filter), one) for one in self.pruning]
        return [(one, after[key]) for key, one in keys if key in after]

    def _number(self, pruning: Compared, export: Compared) -> dict[str, Any]:
        key = (pruning.task, pruning.metric, pruning.filter)
        return {
            **dict(zip(("task", "metric", "filter"), key, strict=True)),
            "headline": key in self.headlines,
            "unpruned": _number(pruning.a),
            "pruned": _number(pruning.b),
            "file": _number(export.b),
            "pruning": _step(pruning),
            "export": _step(export),
        }

    def markdown(self) -> str:
        """The headline numbers, two rows each: what pruning did, and what the export did on top."""
        told = self.plain()
        rows: list[list[str]] = []
        for pruning, export in self._pairs():
            if (pruning.task, pruning.metric, pruning.filter) in self.headlines:
                rows.append([escape(pruning.task), escape(pruning.metric), "pruning", *_cells(pruning)])
                rows.append(["", "", "export", *_cells(export)])
        header = ["benchmark", "metric", "step", "before", "after", "change", "documents that changed", "verdict"]
        of = self.of
        lines = [
            f"# Certificate of {escape(str(self.file['name']))}",
            f"{code(str(of['base']['model']))} at level {escape(str(of['level']))} ({str(of['method']).upper()}), "
            f"{of['intermediate_size']} neurons a layer"
            + (f", stored as {of['stored_size']}" if of.get("stored_size") else "")
            + f"; {escape(str(self.file['form']))}, sha256 of its weights {code(str(self.file['weights_hash']))}.",
            table_lines(header, rows, right=range(3, 6)),
            "“pruning” is from the unpruned model to the pruned level, both as run "
            f"{escape(self.run)} measured them; “export” from there to this file, which run {escape(self.scored_by)} "
            "scored under the same plan. Documents are compared in pairs; noise is judged at 5 % after Holm's "
            "correction over the numbers of each step.",
            "Versions: " + ", ".join(f"{name} {value}" for name, value in told["versions"].items() if value) + ".",
        ]
        return "\n\n".join(lines) + "\n"

    def write(self, beside: Path) -> tuple[Path, Path]:
        """Writes JSON and Markdown beside a GGUF file, one pair for each engine, or into a checkpoint's folder; returns
        both.
        """
        of_engine = "certificate" if self.engine == _OF_RUNS else f"{self.engine}.certificate"
        stem = beside / "certificate" if beside.is_dir() else beside.with_name(f"{beside.name}.{of_engine}")
        paths = stem.with_name(f"{stem.name}.json"), stem.with_name(f"{stem.name}.md")
        text = json.dumps(self.plain(), indent=2, ensure_ascii=False, allow_nan=False)
        paths[0].write_text(text + "\n", encoding="utf-8")
        paths[1].write_text(self.markdown(), encoding="utf-8")
        return paths


def _step(one: Compared) -> dict[str, Any]:
    change = None if one.a is None or one.b is None else _number(one.b - one.a)
    return {
        "change": change,
        "verdict": one.verdict,
        "why": one.why,
        "test": one.test,
        "p_holm": _number(one.p),
        "documents": one.documents,
        "changed": one.changed,
        "rose": one.rose,
        "fell": one.fell,
    }


def _number(value: float | None) -> float | str | None:
    return None if value is None else json_number(value)


def _cells(one: Compared) -> list[str]:
    values = ["–" if value is None else f"{value:.4f}" for value in (one.a, one.b)]
    change = "–" if one.a is None or one.b is None else f"{one.b - one.a:+.4f}"
    changed = "–" if one.changed is None else f"{one.changed} of {one.documents}"
    return [*values, change, changed, one.verdict]
