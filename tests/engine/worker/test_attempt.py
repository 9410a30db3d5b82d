"""What a run that is taken up again must find as it left it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.demo.paths import MODEL_DIR, TASKS_DIR
from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.pruning import loading
from engine.pruning.accounting import ModelShape
from engine.runs import launch
from engine.runs.rundir import RunDir, runs_root
from engine.worker import attempt
from engine.worker.attempt import _record_model, warm_up
from engine.worker.earlier import EarlierPrompts
from engine.worker.recorder import Recorder
from warehouse.records.events import Log, Stage, of_kind
from warehouse.records.facts import CellFacts, ModelFacts, TaskFacts
from warehouse.records.level import parse_levels
from warehouse.store import db

PLAN = RunPlan(name="p", model="m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("demo_sums"),), limit=4)
MODEL = ModelFacts(
    model="org/tiny", source="org/tiny", revision=None, weights_hash="w", model_type="llama", hidden_size=8,
    intermediate_size=100, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, vocab_size=16,
    tied_embeddings=True, parameters=1000, bytes=4000, config_hash="c", tokenizer_hash="t",
)  # fmt: skip
TASK = TaskFacts(
    task="demo_sums", part_of=None, version="1", output_type="generate_until", num_fewshot=3, n_docs=4, n_requests=4,
    dataset="", dataset_fingerprint=None, requests_hash="r", questions_hash="q", tokens_hash="k",
)  # fmt: skip
CELL = CellFacts(
    level="0", task="demo_sums", part_of=None, is_group=False, version="1", num_fewshot=3, seconds=1.0, tokens_hash="k"
)
OLD_RUN = Path(__file__).parents[2] / "data" / "old_run"


def resumed(tmp_path: Path, *before: Any) -> Recorder:
    """The recorder of a run that wrote this down earlier."""
    run = RunDir.create(runs_root(tmp_path / "results.duckdb"), PLAN, tmp_path / "results.duckdb")
    earlier = Recorder(run)
    for data in before:
        earlier.record(data)
    earlier.close()
    return Recorder(run)


def test_a_process_that_is_kept_makes_the_batches_of_its_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device has less free memory by then, and other batches are other sums."""
    free = iter((4096, 4000, 3000, 2000))
    monkeypatch.setattr(attempt, "default_batch_tokens", lambda *_, **__: next(free))
    gpu, kept = torch.device("cuda", 0), dict[Any, int]()
    shape = loading.inspect(str(MODEL_DIR)).shape
    other = replace(shape, intermediate_size=shape.intermediate_size * 2)

    def found(one: ModelShape, dtype: torch.dtype, known: dict[Any, int]) -> int:
        return attempt.batch_tokens_of(gpu, one, dtype, known)

    assert [found(shape, torch.bfloat16, kept) for _ in range(2)] == [4096, 4096]
    assert [found(other, torch.bfloat16, kept), found(shape, torch.float32, kept)] == [4000, 3000]
    assert found(shape, torch.bfloat16, {}) == 2000


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights_hash": "v"}, "The weights of org/tiny have changed"),
        ({"config_hash": "d"}, "The config of org/tiny has changed"),
        ({"tokenizer_hash": "u"}, "The tokenizer of org/tiny has changed"),
        ({"config_hash": "d", "tokenizer_hash": "u"}, "The config and tokenizer of org/tiny have changed"),
    ],
)
def test_a_model_that_changed_is_refused(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    recorder = resumed(tmp_path, MODEL)
    with pytest.raises(UserError, match=f"{sentence} since this run began: start a new run"):
        _record_model(recorder, replace(MODEL, **changes))


def test_a_model_that_is_the_same_is_not_recorded_again(tmp_path: Path) -> None:
    recorder = resumed(tmp_path, replace(MODEL, config_hash=None, tokenizer_hash=None))
    _record_model(recorder, MODEL)  # a run from before there were these hashes
    recorder.close()
    assert RunDir(recorder._journal.path.parent).history()[0].seq == 0


def test_prompts_that_became_other_tokens_are_refused_even_where_the_task_was_recorded_without_them(
    tmp_path: Path,
) -> None:
    earlier = EarlierPrompts.of(resumed(tmp_path, replace(TASK, tokens_hash=None), CELL).history)
    earlier.refuse_changed(TASK)
    with pytest.raises(UserError, match="have become other tokens"):
        earlier.refuse_changed(replace(TASK, tokens_hash="j"))


def test_prompts_that_changed_are_refused(tmp_path: Path) -> None:
    earlier = EarlierPrompts.of(resumed(tmp_path, TASK).history)
    with pytest.raises(UserError, match="The prompts of task 'demo_sums' have changed"):
        earlier.refuse_changed(replace(TASK, requests_hash="s"))


@pytest.mark.slow
def test_an_edited_tokenizer_ends_a_run_that_is_taken_up_again(tmp_path: Path) -> None:
    """HellaSwag once gained 8.4 %, since the two levels were asked in other tokens."""
    model, database = tmp_path / "model", tmp_path / "results.duckdb"
    shutil.copytree(TASKS_DIR.parent / "model", model)
    run = RunDir.create(runs_root(database), replace(PLAN, model=str(model)), database)
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, launch.log_tail(run)
    events = run.events()
    (facts,), cells = of_kind(events, ModelFacts), of_kind(events, CellFacts)
    assert len(facts.config_hash or "") == len(facts.tokenizer_hash or "") == 64
    assert {cell.harness_version for cell in cells} == {cells[0].harness_version} != {None}
    assert all(cell.questions_hash and cell.tokens_hash for cell in cells)
    lines = run.journal_path.read_bytes().splitlines(keepends=True)
    first = next(event.seq for event in events if event.data is cells[0])
    run.journal_path.write_bytes(b"".join(lines[: first + 1]))
    pipeline = model / "tokenizer.json"
    pipeline.write_text(pipeline.read_text().replace('"normalizer": null', '"normalizer": {"type": "Lowercase"}'))
    assert launch.start(run).wait(timeout=300) == launch.REFUSED
    assert f"The tokenizer of {model} has changed since this run began" in launch.log_tail(run)[-1] or (
        "The tokenizer of" in getattr(run.history()[0].end, "error", "")
    )


def test_a_run_of_an_earlier_version_is_taken_up_and_merged(tmp_path: Path) -> None:
    run = RunDir(shutil.copytree(OLD_RUN, tmp_path / "r.runs" / "20261130-011953-old"))
    assert run.plan.seeds == (3, 1237, 1237, 1237)
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, launch.log_tail(run)
    with db.open_read(tmp_path / "r.duckdb") as con:
        told = con.execute("select conditions, documents, seeds, repair, published from runs").fetchall()
        cells = con.execute("select level, task, harness_version is null from cells order by seq").fetchall()
    assert told == [("limit 6, float32, seeds 3,1237,1237,1237", "6", "3,1237,1237,1237", "none", False)]
    assert len(cells) == 10
    assert {(level, task) for level, task, unknown in cells if not unknown} == {
        ("40", name) for name in ("demo_facts_animals", "demo_facts_foods", "demo_facts_towns", "demo_facts")
    }


def test_what_cannot_be_compiled_ahead_is_left_to_the_cells(tmp_path: Path) -> None:
    recorder = resumed(tmp_path)

    def fails() -> None:
        raise RuntimeError("no compiler\nin 20 lines")

    warm_up(recorder, fails)
    warm_up(recorder, lambda: None)
    [run] = runs_root(tmp_path / "results.duckdb").iterdir()
    events = list(RunDir(run).events())
    [told] = [event.data for event in events if isinstance(event.data, Log)]
    assert (told.level_name, told.message) == (
        "warning", "Nothing could be compiled ahead (RuntimeError: no compiler).",
    )  # fmt: skip
    assert [event.data.stage for event in events if isinstance(event.data, Stage)] == ["warm up", "warm up"]


def test_a_device_that_is_gone_is_not_compiled_for(tmp_path: Path) -> None:
    def lost() -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(torch.AcceleratorError):
        warm_up(resumed(tmp_path), lost)
