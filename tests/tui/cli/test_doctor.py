"""`doctor` finds what is wrong and says what to do; only what would stop a run makes it fail."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from template import copied

from engine.planning import model_stack
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir, runs_root
from tui.cli import checks
from tui.cli.checks import Finding
from warehouse.records.events import Attempt
from warehouse.records.facts import CellFacts
from warehouse.records.level import parse_levels
from warehouse.records.reading import Reading
from warehouse.store.journal import Journal


def findings(found) -> dict[str, Finding]:
    return {finding.subject: finding for finding in found}


def test_every_subject_is_looked_at_and_every_note_says_what_to_do(shell):
    done = shell("doctor", "--json", HF_HUB_OFFLINE="1")
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["can_run"] else 1)
    subjects = {finding["subject"] for finding in answer["findings"]}
    assert {"versions", "GPU", "torch", "hub", "token", "disk", "database", "runs"} <= subjects
    for finding in answer["findings"]:
        if finding["verdict"] != "fine":
            assert finding["advice"], finding
    assert list(shell.cwd.iterdir()) == []


def test_a_file_that_is_no_database_would_stop_a_run(tmp_path: Path):
    (tmp_path / "results.duckdb").write_text("no database " * 1000)
    finding = checks.database(tmp_path / "results.duckdb")
    assert finding.verdict == "problem"
    assert "not a DuckDB database" in finding.text


def test_a_folder_that_cannot_be_written_would_stop_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checks.os, "access", lambda *_: False)
    assert next(iter(checks.disk(tmp_path / "results.duckdb"))).verdict == "problem"


def test_a_missing_package_would_stop_a_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_stack, "PACKAGES", {"torch": "torch", "no_such_package": "no-such-package"})
    *_, finding = checks.versions()
    assert finding.verdict == "problem"
    assert finding.text == "not installed: no-such-package; results are read, and nothing is measured"


def test_torch_that_cannot_be_imported_would_stop_a_run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checks, "_ASK_TORCH", "raise ImportError('libtorch.so is missing')")
    finding = checks.torch(Finding("GPU", "fine", ""))
    assert finding.verdict == "problem"
    assert "libtorch.so is missing" in finding.text


GIB = 2**30
CARD = Reading(t=0.0, device="gpu 0", name="NVIDIA H200", memory_used=2 * GIB, memory_total=141 * GIB)


@pytest.mark.parametrize(
    ("cards", "verdict", "text"),
    [
        ([CARD], "fine", "NVIDIA H200 (139 of 141 GiB free); driver 580.65"),
        (
            [CARD, Reading(t=0.0, device="gpu 1", name="NVIDIA GB10")],
            "fine",
            "NVIDIA H200 (139 of 141 GiB free), NVIDIA GB10 (memory not reported); driver 580.65",
        ),
        (
            [CARD, Reading(t=0.0, device="gpu 1", problem="the GPU is lost")],
            "note",
            "NVIDIA H200 (139 of 141 GiB free), GPU 1 (the GPU is lost); driver 580.65",
        ),
        ([], "note", "no NVIDIA GPU can be used: no NVIDIA driver is installed"),
    ],
    ids=["one", "one without memory of its own", "one is lost", "none"],
)
def test_each_gpu_is_named_with_what_it_tells(monkeypatch: pytest.MonkeyPatch, cards, verdict, text):
    host = Reading(t=0.0, device="cpu", problem=None if cards else "no NVIDIA driver is installed")
    monkeypatch.setattr(checks, "machine", lambda: [*cards, host])
    monkeypatch.setattr(checks, "driver_version", lambda: "580.65")
    finding = checks.driver()
    assert (finding.verdict, finding.text) == (verdict, text)


def test_a_gpu_that_torch_does_not_see_is_worth_knowing(monkeypatch: pytest.MonkeyPatch):
    said = {"built_for": None, "devices": [], "mps": False}
    monkeypatch.setattr(checks, "_ASK_TORCH", f"import json; print(json.dumps({said!r}))")
    finding = checks.torch(Finding("GPU", "fine", "NVIDIA H200"))
    assert finding.verdict == "note"
    assert "without CUDA" in finding.text
    assert checks.torch(Finding("GPU", "note", "none")).verdict == "fine"


def test_a_hub_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    from huggingface_hub import constants

    over = threading.Event()

    def urlopen(*_, **__):
        over.wait(60)
        raise OSError("too late")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(checks.urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(checks, "_HUB_SECONDS", 0.01)
    finding = checks.hub()
    over.set()
    assert finding.verdict == "note"
    assert "no answer" in finding.text


def test_runs_cut_short_and_results_not_merged_are_named(tmp_path: Path, study: Path):
    database = tmp_path / "results.duckdb"
    copied(study, database)
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    run = RunDir.create(runs_root(database), plan, database)
    journal = Journal(run.journal_path)
    journal.append(Attempt(attempt=1, pid=1, host="h", provenance={}))
    journal.append(
        CellFacts(level="0", task="piqa", part_of=None, is_group=False, version="1", num_fewshot=0, seconds=1.0)
    )
    journal.close()
    advice = [finding.advice for finding in checks.runs(database)]
    assert any(f"prune-tui resume {run.run_id}" in text for text in advice)
    assert any("prune-tui merge" in text for text in advice)
