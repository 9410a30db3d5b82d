"""Where a number came from, as lines for people and as plain values for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from tui.format import change, seconds, value
from tui.plain import plain
from warehouse.read.sources import CellSource, Number
from warehouse.read.trace import Check, Provenance, Trace
from warehouse.records.conditions import old_seeds, seeds_text
from warehouse.records.events import fields_of
from warehouse.records.level import level_label
from warehouse.text import counted

_MARKS = {True: "✓", False: "✗", None: "–"}
# Of a journal line that is told on a screen; `--json` has it whole.
_MOST_TEXT = 400

Line = tuple[str, str]


def headline(trace: Trace) -> str:
    """The number in a sentence, with its change against the unpruned model where it has one."""
    number = trace.origin.number
    said = f"{number.model} at {level_label(number.level)}, {number.benchmark} {metric_name(number)}: "
    said += _exact(number.value)
    if number.stderr is not None:
        said += f" ± {value(number.stderr)}"
    if trace.baseline is None:
        return said + (" (the unpruned model)" if number.unpruned else " (the unpruned model was not measured)")
    before = _exact(trace.baseline.number.value)
    return f"{said}; unpruned {before}; change {trace.delta:+.6g} ({change(trace.delta_pct)})"


def differences(trace: Trace) -> list[str]:
    """In what the number and its baseline were not measured alike, a line each."""
    return [f"{what} {_short(one)}, the baseline's {_short(other)}" for what, one, other in trace.differences]


def _short(told: Any) -> str:
    text = str(told)
    return text[:12] if len(text) == 64 else text


def verdict(trace: Trace) -> str:
    broken = sum(check.holds is False for check in trace.checks)
    held = sum(check.holds is True for check in trace.checks)
    if broken:
        return f"{broken} of {counted(broken + held, 'check')} failed: the number is not what its sources say."
    if not held:
        return "Nothing here could verify the number: its sources are elsewhere."
    if held == 1:
        return "The one check that can be made here holds."
    return f"All {held} checks that can be made here hold."


def metric_name(number: Number) -> str:
    return number.metric if number.filter == "none" else f"{number.metric} ({number.filter})"


def lines(origin: Provenance) -> Iterator[Line]:
    """A label and a text for each thing that is known; a label may be empty where the line goes on."""
    number, run, cell = origin.number, origin.run, origin.cell
    yield "value", f"{_exact(number.value)}, standard error {_exact(number.stderr)}, n {_known(number.n)}"
    yield "run", f"{run.run_id} ({run.name}), {_ORIGINS.get(run.origin, run.origin)}"
    yield "conditions", run.conditions or "not known"
    if run.attempt is not None:
        on = f" on {run.host}, process {run.pid}" if run.host else ""
        yield "attempt", f"{run.attempt}{on}, began {run.attempted_at:%Y-%m-%d %H:%M:%S} UTC"
    yield "measured", f"{number.recorded_at:%Y-%m-%d %H:%M:%S} UTC{_took(cell)}"
    yield from _provenance(origin)
    yield "model", f"{run.model}, revision {_known(run.revision)}, weights hash {_known(run.weights_hash)}"
    if run.config_hash or run.tokenizer_hash:
        yield "hashes", f"config {_known(run.config_hash)}, tokenizer {_known(run.tokenizer_hash)}"
    if number.footnote:
        yield "note", number.footnote
    yield "width", _width(cell)
    if cell.calibration_hash is not None and not number.unpruned:
        yield "calibration", _calibration(cell)
    yield "task", _task(origin)
    if cell.requests_hash is not None:
        yield "dataset", f"{cell.dataset or 'files of its own'}, fingerprint {_known(cell.dataset_fingerprint)}"
        asked = f"{_known(cell.n_requests)} about {_known(cell.n_docs)} documents"
        yield "requests", f"{asked}, hash {cell.requests_hash}"
    yield from _sources(origin)
    for bundle in origin.bundles:
        yield (
            "bundle",
            f"came in {bundle.file} on {bundle.recorded_at:%Y-%m-%d}, fingerprint {bundle.fingerprint}",
        )
    yield from _others(origin)
    for check in origin.checks:
        yield "checked", f"{_MARKS[check.holds]} {check.what}: {check.said}"
    if origin.parts:
        yield from _checked_parts(origin.below)


def _checked_parts(parts: Sequence[Provenance]) -> Iterator[Line]:
    """What was verified of a group's parts, to the last: in one line, and each that says otherwise in its own."""
    checks = [(part.number.task, check) for part in parts for check in part.checks]
    broken = [(task, check) for task, check in checks if check.holds is False]
    held = sum(check.holds is True for _, check in checks)
    for task, check in broken:
        yield "checked", f"{_MARKS[False]} {task}, {check.what}: {check.said}"
    last = sum(not part.parts for part in parts)
    told = f"{held} checks hold" if held else "nothing can be verified here"
    yield "checked", f"{_MARKS[True if held else None]} parts, down to the last {last}: {told}"


def as_json(trace: Trace) -> dict[str, Any]:
    """Everything, for programs: numbers as they are, dates as ISO text."""
    return plain(
        {
            "holds": trace.holds,
            "delta": trace.delta,
            "delta_pct": trace.delta_pct,
            "differences": [{"what": what, "number": one, "baseline": other} for what, one, other in trace.differences],
            "number": _origin(trace.origin),
            "baseline": None if trace.baseline is None else _origin(trace.baseline),
        }
    )


_ORIGINS = {
    "run": "a run of prune-tui",
    "published": "the published study's figures",
    "study": "a file in the study's format",
    "lm-eval": "a result file of lm-eval",
}


def _provenance(origin: Provenance) -> Iterator[Line]:
    known = dict(origin.provenance)
    versions = known.pop("versions", None) or {}
    told = ", ".join(f"{name} {number}" for name, number in versions.items() if number is not None)
    if told:
        yield "versions", told
    gpu = known.pop("gpu", None)
    machine = [gpu["name"] if isinstance(gpu, dict) and "name" in gpu else "no GPU", f"device {known.get('device')}"]
    machine += [f"{name} {known[name]}" for name in ("cuda", "driver", "cpu", "platform", "python") if known.get(name)]
    if "device" in known:
        yield "machine", ", ".join(machine)
    if known.get("git_revision"):
        yield "program", f"git {known['git_revision']}"
    if files := known.get("task_files"):
        yield "task files", ", ".join(f"{name} {digest[:12]}" for name, digest in files.items())
    if origin.run.dtype or "limit" in origin.plan:
        yield "settings", f"dtype {_known(origin.run.dtype)}, seeds {_known(_seeds(origin.plan))}"


def _seeds(plan: dict[str, Any]) -> str | None:
    """lm-eval's four, which older runs had added their own to."""
    if "seeds" in plan:
        return seeds_text(plan["seeds"])
    return seeds_text(old_seeds(plan["seed"])) if "seed" in plan else None


def _width(cell: CellSource) -> str:
    told = level_label(cell.level)
    if cell.intermediate_size is not None:
        told += f": {cell.intermediate_size} neurons a layer"
    if cell.padded_size not in (None, cell.intermediate_size):
        told += f" (evaluated at {cell.padded_size}, zeros added)"
    if cell.parameters is not None:
        told += f", {cell.parameters:,} parameters"
    return f"{told}, method {_known(cell.method)}, repair {_known(cell.repair)}"


def _calibration(cell: CellSource) -> str:
    drawn = "" if cell.calibration_seed is None else f", drawn with seed {cell.calibration_seed}"
    return (
        f"{cell.calibration_source}: {cell.calibration_tokens:,} tokens in sequences of {cell.calibration_length}"
        f"{drawn}, hash {cell.calibration_hash}, kept as {cell.calibration_path}"
    )


def _task(origin: Provenance) -> str:
    number = origin.number
    told = f"{number.task}, version {_known(number.version)}, {_known(number.num_fewshot)} shots"
    told += f", metric {number.metric}, filter {number.filter}"
    if origin.parts:
        names = ", ".join(f"{part.number.task} {value(part.number.value)}" for part in origin.parts[:6])
        more = f" and {len(origin.parts) - 6} more" if len(origin.parts) > 6 else ""
        told += f"; the aggregate of {names}{more}"
    return told


def _sources(origin: Provenance) -> Iterator[Line]:
    if origin.samples is not None:
        yield (
            "samples",
            f"{counted(origin.samples.rows, 'row')} in the database (table samples, seq {origin.number.seq})",
        )
    if origin.samples_file is not None:
        yield ("" if origin.samples else "samples"), str(origin.samples_file)
    if origin.line is not None:
        line = origin.line
        yield "journal", f"{line.path}, line {line.number}, byte {line.offset:,}, event {origin.number.seq}"
        yield "", _cut(line.text)
    elif origin.journal is not None:
        yield "journal", f"event {origin.number.seq} of {origin.journal}"
    if (place := origin.place) is not None:
        yield "file", f"{place.file}, {place.place}"
        if place.text is not None:
            yield "", _cut(place.text)
        if source := origin.plan.get("source"):
            yield "source", str(source)


def _others(origin: Provenance) -> Iterator[Line]:
    current, *others = origin.measured
    if not others:
        yield "others", "no other run measured it"
        return
    yield "current", f"because it is the latest of {len(origin.measured)}; the others:"
    for one in others[:8]:
        same = ", the same" if one.value == current.value else ""
        when = f"{one.recorded_at:%Y-%m-%d %H:%M:%S}"
        yield "", f"{one.run_id} ({one.name}), {when}: {_exact(one.value)}{same}"
    if len(others) > 8:
        yield "", f"and {len(others) - 8} more"


def _origin(origin: Provenance) -> dict[str, Any]:
    line, place = origin.line, origin.place
    return {
        **asdict(origin.number),
        "run": {name: of for name, of in asdict(origin.run).items() if name not in ("plan", "provenance")},
        "plan": origin.plan,
        "provenance": origin.provenance,
        "cell": asdict(origin.cell),
        "parts": [_part(part) for part in origin.parts],
        "samples": None if origin.samples is None else asdict(origin.samples),
        "samples_file": None if origin.samples_file is None else str(origin.samples_file),
        "journal": None
        if line is None
        else {"file": str(line.path), "line": line.number, "byte": line.offset, "event": fields_of(line.text)},
        "file": None if place is None else asdict(place),
        "bundles": [asdict(one) for one in origin.bundles],
        "measured": [asdict(one) for one in origin.measured],
        "checks": [_check(check) for check in origin.checks],
    }


def _part(part: Provenance) -> dict[str, Any]:
    told = {name: getattr(part.number, name) for name in ("task", "value", "stderr", "n", "seq")}
    return told | {"checks": [_check(check) for check in part.checks], "parts": [_part(one) for one in part.parts]}


def _check(check: Check) -> dict[str, Any]:
    return {"what": check.what, "holds": check.holds, "said": check.said}


def _took(cell: CellSource) -> str:
    return "" if cell.seconds is None else f", in {seconds(cell.seconds)}"


def _exact(number: float | None) -> str:
    if number is None:
        return "not known"
    return repr(number) if math.isfinite(number) else value(number)


def _known(told: Any) -> Any:
    return "not known" if told is None else f"{told:,}" if isinstance(told, int) and told > 9999 else told


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}… ({len(text):,} characters)"


def dumps(trace: Trace) -> str:
    """The JSON of a trace as text, for a clipboard or a file."""
    return json.dumps(as_json(trace), indent=2, ensure_ascii=False)
