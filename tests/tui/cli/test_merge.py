"""`merge` says what it cannot bring over, and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.rundir import RunDir
from tui.cli.app import app
from tui.cli.guard import guarded
from warehouse.records.level import parse_levels

RUN = "20260101-000000-000aaaa"
MODEL = {
    "model": "org/tiny", "source": "org/tiny", "revision": None, "weights_hash": "w", "model_type": "llama",
    "hidden_size": 25, "intermediate_size": 100, "num_hidden_layers": 1, "num_attention_heads": 1,
    "num_key_value_heads": 1, "vocab_size": 10, "tied_embeddings": True, "parameters": 1000, "bytes": 4000,
}  # fmt: skip
CELL = {
    "level": "0", "task": "piqa", "part_of": None, "is_group": False, "version": "1", "num_fewshot": 0, "seconds": 1.0,
    "samples": "samples/gone.parquet",
    "metrics": [
        {"metric": "acc", "filter": "none", "value": 0.5, "stderr": None, "n": 10, "higher_is_better": True}
    ],
}  # fmt: skip


@pytest.fixture
def prune_tui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    run = Path("results.runs", RUN)
    run.mkdir(parents=True)
    plan = {"plan": {"name": "p"}, "conditions": "all documents", "dtype": "float32"}
    events = [{"kind": "plan"} | plan, {"kind": "model"} | MODEL, {"kind": "cell"} | CELL]
    lines = [json.dumps({"seq": seq, "t": 1.75e9} | event) for seq, event in enumerate(events)]
    (run / "journal.jsonl").write_text("\n".join(lines) + "\n")

    def call(command: str) -> tuple[int, str, str]:
        code = guarded(app, command.split())
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return call


def test_documents_that_are_gone_are_said(prune_tui):
    code, out, err = prune_tui("merge")
    assert (code, out) == (0, f"{RUN}: 3 events merged")
    assert f"{RUN}: documents cannot be read (samples/gone.parquet: there is no " in err
    assert "put the files back, then prune-tui merge --from-journals." in err


@pytest.mark.slow
def test_rows_deleted_by_hand_are_said_and_come_back_from_the_journals(prune_tui):
    prune_tui("merge")
    with duckdb.connect("results.duckdb") as con:
        con.execute("delete from metrics")
    code, _, err = prune_tui("merge")
    assert code == 2
    assert f"altered ({RUN}: rows of 1 event (piqa at level 0) are gone): prune-tui merge --from-journals" in err
    code, out, _ = prune_tui("merge --from-journals")
    assert code == 0
    assert out.startswith("results.duckdb is made anew from the journals of 1 run. ")
    assert out.endswith("results.altered.duckdb is the file as it was.")
    assert prune_tui("merge")[:2] == (0, "Nothing to merge.")


def test_a_renamed_database_says_which_folder_it_looked_for(prune_tui):
    prune_tui("merge")
    Path("results.duckdb").rename("other.duckdb")
    code, out, err = prune_tui("merge --db other.duckdb")
    assert (code, out) == (0, "Nothing to merge.")
    assert "there is no folder other.runs. Was the database renamed or moved?" in err
    Path("other.runs").symlink_to("results.runs")
    assert prune_tui("merge --db other.duckdb") == (0, "Nothing to merge.", "")


def test_a_database_that_got_another_ending_says_whose_runs_lie_beside_it(prune_tui):
    Path("results.runs", RUN, "plan.json").write_text(json.dumps({"database": "../../results.db"}))
    prune_tui("merge --db results.db")
    Path("results.db").rename("results.duckdb")
    code, out, err = prune_tui("merge")
    assert (code, out) == (0, "Nothing to merge.")
    assert "no runs of results.duckdb in results.runs; it holds runs of results.db (renamed?" in err


def test_a_journal_that_was_damaged_after_its_merge_is_said_with_its_line(prune_tui):
    plan = RunPlan(name="p", model="m", levels=tuple(parse_levels("0")), tasks=(TaskSpec("piqa"),))
    other = RunDir.create(Path("results.runs"), plan, Path("results.duckdb"))
    shutil.copy(journal := Path("results.runs", RUN, "journal.jsonl"), other.journal_path)
    prune_tui("merge")
    whole = journal.read_text()
    other.journal_path.write_text(whole.replace('"seq": 1', '"seq": 7'))
    code, out, err = prune_tui("merge")
    assert (code, out) == (2, "Nothing to merge.")
    assert f"{other.run_id}: {other.journal_path} is damaged at byte {whole.index(chr(10)) + 1}, line 2 " in err


def test_a_journal_that_was_cut_back_after_its_merge_is_said(prune_tui):
    prune_tui("merge")
    journal = Path("results.runs", RUN, "journal.jsonl")
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:2]))
    code, out, err = prune_tui("merge")
    assert (code, out) == (0, "Nothing to merge.")
    assert f"{RUN}: {journal} ends after line 2, byte" in err
    assert f"it was cut back. The database keeps what it has of the run. prune-tui resume {RUN} does" in err
