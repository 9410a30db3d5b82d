"""The process for tasks: the same requests and judgements as in the worker itself, and an end whichever way."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from drawing_tasks import DATA, TASK
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.tokenization_utils_tokenizers import TokenizersBackend

from engine.demo.paths import MODEL_DIR
from engine.errors import UserError
from engine.evaluation.asking import ask
from engine.evaluation.lm import PrunedLM, vocabulary
from engine.evaluation.task_loading import load_tasks, refuse_long_answers
from engine.evaluation.tasks import TaskSet, build_tasks
from engine.evaluation.whole_documents import whole_documents
from engine.planning.plan import RunPlan
from engine.planning.suites import SUITES, TaskSpec
from engine.runs.rundir import RunDir, runs_root
from engine.worker import tasks_apart
from engine.worker.draws import own_draws, share_out_draws
from engine.worker.judging import Judging
from engine.worker.kept import Kept
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag, StopRequested
from engine.worker.supply import Supply
from engine.worker.tasks_apart import EndedError, TasksApart
from engine.worker.wire import Loaded, packed_error
from warehouse.records.events import TasksFound, of_kind
from warehouse.records.facts import CellFacts, DocumentsFacts, FailureFacts, TaskFacts
from warehouse.records.level import parse_levels

SEEDS = (3, 4, 5, 6)
PLAN = RunPlan(name="test", model="demo", levels=tuple(parse_levels("0")), tasks=SUITES["demo"], limit=4, seeds=SEEDS)


class OwnTokenizer(TokenizersBackend):
    """As one whose code comes with the model: another process has no module of its name."""


class Apart:
    """A run's tasks in a process of their own, and the model that they are asked of."""

    def __init__(self, folder: Path, plan: RunPlan, tokenizer: Any, kept: Kept | None = None) -> None:
        self.run = RunDir.create(runs_root(folder / "r.duckdb"), plan, folder / "r.duckdb")
        self.recorder = Recorder(self.run)
        self.stop = StopFlag()
        self.model: Any = AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()
        self.lm = PrunedLM(self.model, tokenizer, batch_tokens=2048)
        self.loaded: list[Loaded] = []
        self.tasks = TasksApart(self.run, self.recorder, self.stop, kept)

    def says_how_it_reads(self, on_loaded: Callable[[Loaded], None] | None = None) -> None:
        self.tasks.model_reads(
            self.lm.tokenizer,
            self.model.config,
            max_length=self.lm.max_length,
            source=str(MODEL_DIR),
            revision=None,
            on_loaded=on_loaded or self.loaded.append,
        )
        self.tasks.model_knows(vocabulary(self.model))

    def built_here(self) -> TaskSet:
        """The same tasks, built in this process with the same draws."""
        share_out_draws()
        with own_draws(*SEEDS[:2]):
            lm = PrunedLM(self.model, AutoTokenizer.from_pretrained(MODEL_DIR), batch_tokens=2048)
            found = load_tasks(self.run.plan)
            # lm-eval draws whenever it is asked for a name, and shuffles documents whenever these are counted.
            refuse_long_answers(found, lm.max_length, self.run.plan)
            found.covered_by(self.run.plan.limit)
            return build_tasks(found, self.run.plan, lm, lambda: None)


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Callable[..., Apart]]:
    made: list[Apart] = []

    def make(plan: RunPlan = PLAN, tokenizer: Any = None, kept: Kept | None = None) -> Apart:
        made.append(Apart(tmp_path, plan, tokenizer or AutoTokenizer.from_pretrained(MODEL_DIR), kept))
        return made[-1]

    yield make
    for one in made:
        one.recorder.close()


@pytest.mark.parametrize("kind", [AutoTokenizer, OwnTokenizer], ids=["the library's", "one with code of its own"])
def test_requests_are_those_that_are_written_here_to_the_last_token(apart: Callable[..., Apart], kind: Any) -> None:
    made = apart(tokenizer=kind.from_pretrained(MODEL_DIR))
    expected = made.built_here()
    here = PrunedLM(made.model, AutoTokenizer.from_pretrained(MODEL_DIR), batch_tokens=2048)
    with made.tasks as tasks:
        assert not tasks.has_some
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        supply = tasks.supply()
        assert list(supply.names) == [task.name for task in expected.tasks]
        kinds: set[str] = set()
        for built in expected.tasks:
            found = supply.get(built.name)
            assert found is not None
            assert found.facts == built.facts
            assert len(found.instances) == len(built.instances)
            for one, other in zip(found.instances, built.instances, strict=True):
                assert (one.request_type, one.idx, one.metadata) == (other.request_type, other.idx, other.metadata)
                mine, theirs = made.lm.tokens_of(one), here.tokens_of(other)
                assert [(part.dtype, part.tolist()) for part in mine] == [(p.dtype, p.tolist()) for p in theirs]
                kinds.add(one.request_type)
        assert kinds == {"loglikelihood", "loglikelihood_rolling", "generate_until"}
        assert tasks.has_some
        assert tasks.writes
        assert tasks.documents() == list(whole_documents(task.task for task in expected.tasks))
    assert [loaded.whole for loaded in made.loaded] == [False]
    events = made.run.events()
    assert {facts.task: facts for facts in of_kind(events, TaskFacts)} == {
        task.name: task.facts for task in expected.tasks
    }
    assert len(of_kind(events, TasksFound)) == 1


def test_cells_groups_and_documents_are_those_that_are_judged_here(apart: Callable[..., Apart], tmp_path: Path) -> None:
    made = apart()
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        supply = tasks.supply()
        with tasks.judging() as judging:
            for name in supply.names:
                asked = supply.get(name)
                assert asked is not None
                judging.hand_in("0", asked, ask(asked, made.lm), 1.5)
            judging.groups("0")
        assert judging.failed == 0
    far = made.run.events()
    other = apart(replace(PLAN, name="here"))
    built = other.built_here()
    lm = PrunedLM(other.model, AutoTokenizer.from_pretrained(MODEL_DIR), batch_tokens=2048)
    here = Judging(other.run, other.recorder, Supply.of(built, other.stop), 1)
    for task in built.tasks:
        here.hand_in("0", task, ask(task, lm), 1.5)
    near = other.run.events()

    def cells(events: Any) -> dict[str, CellFacts]:
        return {one.task: replace(one, seconds=0.0) for one in of_kind(events, CellFacts)}

    assert cells(far) == cells(near)
    assert len(cells(far)) == len(built.tasks) + 1
    assert of_kind(far, DocumentsFacts) == of_kind(near, DocumentsFacts)
    assert made.recorder.history.cells.keys() == {("0", name) for name in cells(far)}


def test_answers_that_cannot_be_judged_are_one_failed_cell(apart: Callable[..., Apart]) -> None:
    made = apart(replace(PLAN, tasks=(TaskSpec("demo_grammar"), TaskSpec("demo_story"))))
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        grammar, story = (tasks.supply().get(name) for name in ("demo_grammar", "demo_story"))
        assert grammar is not None
        assert story is not None
        with tasks.judging() as judging:
            judging.hand_in("0", grammar, ask(grammar, made.lm)[1:], 1.5)
            judging.hand_in("0", story, ask(story, made.lm), 1.5)
        assert judging.failed == 1
    [failure] = of_kind(made.run.events(), FailureFacts)
    assert (failure.task, failure.error[:11]) == ("demo_grammar", "ValueError:")
    assert "in _take_in" in failure.detail
    assert [cell.task for cell in of_kind(made.run.events(), CellFacts)] == ["demo_story"]


def test_no_more_cells_than_a_crash_may_cost_wait_to_be_judged(
    apart: Callable[..., Apart], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks_apart, "_MOST_WAITING", 1)
    made = apart(replace(PLAN, tasks=(TaskSpec("demo_story"),)))
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        asked = tasks.supply().get("demo_story")
        assert asked is not None
        answers = ask(asked, made.lm)
        with tasks.judging() as judging:
            for done, level in enumerate(("0", "10", "20", "30")):
                judging.hand_in(level, asked, answers, 1.5)
                assert len(made.recorder.history.cells) >= done


def test_what_cannot_be_loaded_is_refused_as_ever(apart: Callable[..., Apart]) -> None:
    made = apart(replace(PLAN, tasks=(TaskSpec("demo_facts"), TaskSpec("demo_facts"))))
    with made.tasks as tasks, pytest.raises(UserError, match="is asked for twice"):
        tasks.supply()
    with pytest.raises(UserError):
        tasks.check()


def test_what_the_worker_refuses_once_tasks_are_loaded_is_the_end(apart: Callable[..., Apart]) -> None:
    def refuse(loaded: Loaded) -> None:
        raise UserError("The task file has changed.")

    made = apart()
    with made.tasks as tasks:
        made.says_how_it_reads(refuse)
        with pytest.raises(UserError, match="has changed"):
            tasks.supply()
    assert not of_kind(made.run.events(), TasksFound)


def test_a_process_that_is_killed_ends_the_work_and_says_so(apart: Callable[..., Apart]) -> None:
    made = apart()
    with made.tasks as tasks:
        made.says_how_it_reads()
        supply = tasks.supply()
        tasks._process.popen.send_signal(signal.SIGKILL)
        with pytest.raises(EndedError, match="it was killed, by somebody or since memory ran out"):
            supply.get("demo_story")
        with pytest.raises(EndedError, match="writes prompts and judges answers ended"), tasks.judging():
            pass


def test_a_process_that_is_killed_before_it_said_anything_ends_the_work(apart: Callable[..., Apart]) -> None:
    made = apart()
    with made.tasks as tasks:
        tasks._process.kill()
        with pytest.raises(EndedError):
            tasks.supply()


def test_no_process_is_left_without_its_worker(apart: Callable[..., Apart]) -> None:
    made = apart()
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.supply()
        tasks._process.wire.close()  # as the kernel does when the worker is killed
        assert tasks._process.popen.wait(timeout=60) == 1


def test_a_signal_to_both_is_left_to_the_worker(apart: Callable[..., Apart]) -> None:
    made = apart()
    with made.tasks as tasks:
        made.says_how_it_reads()
        supply = tasks.supply()
        for number in (signal.SIGINT, signal.SIGTERM):
            tasks._process.popen.send_signal(number)
        tasks.hand_to(made.lm)
        assert supply.get("demo_story") is not None
        made.stop.reason = "SIGINT"
        with pytest.raises(StopRequested):
            supply.get("demo_sums")
        with tasks.judging():
            pass
    assert tasks._process.popen.returncode is not None


def asked_by(made: Apart, *, few: bool = False) -> tuple[int, dict[str, list[list[list[int]]]]]:
    """The process, and the tokens of each task's requests; a `few` are of the first task alone."""
    found: dict[str, list[list[list[int]]]] = {}
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        supply = tasks.supply()
        for name in supply.names[:1] if few else supply.names:
            task = supply.get(name)
            assert task is not None
            found[name] = [[part.tolist() for part in made.lm.tokens_of(one)] for one in task.instances]
        with tasks.judging():
            pass
        return tasks._process.popen.pid, found


def test_a_process_that_is_kept_has_the_same_requests_for_the_next_run(apart: Callable[..., Apart]) -> None:
    kept, other = Kept(stays=True), replace(PLAN, tasks=PLAN.tasks[1:3], seeds=(7, 8, 9, 10))
    alone = [asked_by(apart(plan))[1] for plan in (PLAN, other)]
    try:
        runs = [apart(plan, kept=kept) for plan in (PLAN, replace(PLAN, name="next", method="l2"), other, PLAN)]
        told = [asked_by(one) for one in runs]
    finally:
        assert kept.tasks is not None
        kept.tasks.end()
    assert [found for _, found in told] == [alone[0], alone[0], alone[1], alone[0]]
    assert len({number for number, _ in told}) == 1
    facts = [of_kind(one.run.events(), TaskFacts) for one in runs]
    assert facts[0] == facts[1] == facts[3] != facts[2]
    assert all(len(of_kind(one.run.events(), TasksFound)) == 1 for one in runs)


def test_what_is_still_said_of_a_run_that_is_over_is_not_taken_for_the_next_ones(apart: Callable[..., Apart]) -> None:
    kept = Kept(stays=True)
    for _ in range(3):
        made = apart(kept=kept)
        asked_by(made, few=True)  # most tasks are being built as it ends
        before = made.run.events()
        after = apart(kept=kept)
        asked_by(after)
        assert made.run.events() == before
        assert len({facts.task for facts in of_kind(after.run.events(), TaskFacts)}) == len(
            of_kind(after.run.events(), TaskFacts)
        )
    if kept.tasks is not None:
        kept.tasks.end()


def test_a_run_that_broke_off_leaves_no_process(apart: Callable[..., Apart]) -> None:
    kept = Kept(stays=True)
    tasks = apart(kept=kept).tasks
    with pytest.raises(EndedError), tasks:
        raise EndedError
    assert kept.tasks is None
    assert tasks._process.popen.returncode is not None


def test_an_error_that_cannot_be_sent_is_told_in_its_words() -> None:
    class Odd(Exception):
        def __init__(self, one: str, other: str) -> None:
            super().__init__(f"{one} and {other}")

    try:
        raise Odd("this", "that")
    except Odd as error:
        told = pickle.loads(packed_error(error))
    assert (type(told), str(told)) == (RuntimeError, "Odd: this and that")
    assert "raise Odd" in told.__notes__[0]
    kept = pickle.loads(packed_error(UserError("There is no such task.")))
    assert (type(kept), str(kept)) == (UserError, "There is no such task.")


@pytest.mark.slow  # reads all of lm-eval's index
@pytest.mark.real_process
def test_tasks_that_draw_in_functions_of_their_own_come_to_the_same_requests(
    apart: Callable[..., Apart], tmp_path: Path
) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "data.py").write_text(DATA)
    for name in ("first", "second"):
        (folder / f"{name}.yaml").write_text(TASK.replace("NAME", name))
    plan = replace(
        PLAN,
        tasks=tuple(map(TaskSpec, ("first", "demo_sums", "second"))),
        include_paths=(str(folder),),
        trust_task_code=True,
    )
    made = apart(plan)
    with made.tasks as tasks:
        made.says_how_it_reads()
        tasks.hand_to(made.lm)
        found = [tasks.supply().get(name) for name in tasks.supply().names]
    here = [replace(task.facts, dataset_fingerprint=None) for task in made.built_here().tasks]
    # datasets makes up a fingerprint where it cannot tell a function's code
    assert [one and replace(one.facts, dataset_fingerprint=None) for one in found] == here


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "other"), [("engine.worker.task_work", "torch"), ("engine.worker.attempt", "datasets")]
)
def test_neither_process_imports_what_the_other_one_is_for(module: str, other: str) -> None:
    probe = f"import sys, {module}; print({other!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
