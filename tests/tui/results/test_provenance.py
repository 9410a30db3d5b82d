"""Where a number came from, in words and for programs: a group, down to its last part."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_writer import RunWriter, metric

from tui.results import provenance
from warehouse.merging import merge
from warehouse.read.metric_lookup import MetricQuery
from warehouse.read.trace import Trace, trace


@pytest.fixture
def run(tmp_path: Path) -> RunWriter:
    """A group of two tasks and of a group of one."""
    run = RunWriter(tmp_path / "results.runs" / "r1")
    run.start()
    for task, part_of in (("piqa", "all"), ("boolq", "some"), ("some", "all"), ("all", None)):
        run.cell("0", task, metrics=[metric("acc", 0.5)], part_of=part_of, is_group=task in ("some", "all"))
    merge.merge_run(tmp_path / "results.duckdb", run.folder)
    return run


def followed(run: RunWriter) -> Trace:
    root = run.folder.parent
    return trace(root.with_suffix(".duckdb"), MetricQuery(model="Tiny", level="0", task="all"), root)


def test_what_was_checked_of_parts_is_one_line(run: RunWriter):
    found = followed(run)
    assert list(provenance.lines(found.origin))[-1] == ("checked", "✓ parts, down to the last 2: 4 checks hold")
    assert provenance.verdict(found) == "All 6 checks that can be made here hold."
    told = provenance.as_json(found)["number"]["parts"]
    assert {part["task"]: [one["task"] for one in part["parts"]] for part in told} == {"piqa": [], "some": ["boolq"]}


def test_a_part_that_no_longer_holds_is_named(run: RunWriter):
    lines = run.path.read_text().splitlines(keepends=True)
    changed = [line.replace('"value": 0.5', '"value": 0.75') if '"boolq"' in line else line for line in lines]
    run.path.write_text("".join(changed))
    found = followed(run)
    broken = [text for label, text in provenance.lines(found.origin) if label == "checked" and text.startswith("✗")]
    assert [text.partition(", line")[0].partition(": ")[0] for text in broken] == ["✗ boolq, journal"]
    assert provenance.verdict(found) == "1 of 6 checks failed: the number is not what its sources say."


def test_a_repaired_width_is_told_with_its_method_repair_and_text(tmp_path: Path):
    run = RunWriter(tmp_path / "results.runs" / "r1")
    run.start(method="obs", repair="lsq", text="self")
    run.cell("40", "piqa", 0.5)
    merge.merge_run(tmp_path / "results.duckdb", run.folder)
    found = trace(tmp_path / "results.duckdb", MetricQuery(model="Tiny", level="40", task="piqa"), run.folder.parent)
    told = dict(provenance.lines(found.origin))
    assert told["width"].endswith("method obs, repair lsq")
    assert told["calibration"].startswith("self: 4,096 tokens in sequences of 128, drawn with seed 0, hash ")
