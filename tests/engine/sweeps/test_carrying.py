"""Pieces on places: each once, from its journal on where a worker dies, whatever dies."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from engine.sweeps import carrying
from engine.sweeps.carrying import MOST_RETRIES, Carrying
from warehouse.records.events import Attempt, Crashed, Finished, Refused, Stopped, of_kind
from warehouse.records.facts import CellFacts, FailureFacts
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal

KILLED = -9


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying.time, "sleep", lambda seconds: None)


def pieces(folder: Path, count: int, models: str = "m") -> list[RunDir]:
    """So many, of these models in turn."""
    plans = [
        RunPlan(
            name=f"piece {number}", model=models[number % len(models)], levels=tuple(parse_levels("0,20,40")),
            tasks=(TaskSpec("piqa"),), sweep="s",
        )
        for number in range(count)
    ]  # fmt: skip
    return create_all(plans, folder / "results.duckdb")


@dataclass
class FakeWorker:
    """A cell each time that it is looked at; `dies_at` is the look at which it is killed."""

    run: RunDir
    dies_at: int | None
    ending: str = "finish"
    looks: int = 0
    asked: bool = False
    code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            self.code = self._step()
        return self.code

    def ask_to_stop(self) -> None:
        self.asked = True

    def _step(self) -> int | None:
        events = self.run.events()
        done = {cell.level for cell in of_kind(events, CellFacts)}
        journal = Journal(self.run.journal_path)
        self.looks += 1
        try:
            if self.looks == 1:
                journal.append(Attempt(attempt=len(of_kind(events, Attempt)) + 1, pid=1, host="h", provenance={}))
            if self.looks == self.dies_at:
                if self.ending == "crash":
                    journal.append(Crashed(error="ValueError: oops", detail=""))
                    return launch.FAILED
                return KILLED
            if self.asked:
                journal.append(Stopped(reason="SIGINT"))
                return launch.STOPPED
            if self.ending == "refuse":
                journal.append(Refused(error="No."))
                return launch.REFUSED
            left = [str(level) for level in self.run.plan.levels if str(level) not in done]
            if left:
                journal.append(
                    CellFacts(
                        level=left[0], task="piqa", part_of=None, is_group=False, version="1", num_fewshot=0,
                        seconds=1.0, metrics=[],
                    )
                )  # fmt: skip
                return None
            failed = 1 if self.ending in ("fail", "no memory") else 0
            if self.ending == "no memory":
                why = "OutOfMemoryError: CUDA out of memory."
                journal.append(FailureFacts(level="0", task="piqa", error=why, detail=""))
            journal.append(Finished(failed=failed))
            return launch.FAILED if failed else launch.FINISHED
        finally:
            journal.close()


@dataclass
class FakeExecutor:
    """`deaths` are the looks at which the workers die, in the order in which they are started."""

    places: list[str]
    deaths: list[int | None] = field(default_factory=list)
    ending: str = "finish"
    started: list[tuple[str, str]] = field(default_factory=list)
    at_work: dict[str, FakeWorker] = field(default_factory=dict)
    most: int = 0
    rooms: dict[str, int] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    rested: set[str] = field(default_factory=set)

    def room(self, place: str) -> int | None:
        return self.rooms.get(place)

    def has(self, run: RunDir) -> str | None:
        return self.held.get(run.name)

    def rest(self, place: str) -> None:
        before = self.at_work.get(place)
        assert before is None or before.code is not None, f"{place} is at work"
        self.rested.add(place)

    def close(self) -> None: ...

    def start(self, run: RunDir, place: str) -> FakeWorker:
        self.rested.discard(place)
        before = self.at_work.get(place)
        assert before is None or before.code is not None, f"two at once on {place}"
        self.started.append((run.name, place))
        self.at_work[place] = FakeWorker(run, self.deaths.pop(0) if self.deaths else None, self.ending)
        self.most = max(self.most, sum(worker.code is None for worker in self.at_work.values()))
        return self.at_work[place]


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def begins(self, run, place):
        self.lines.append(f"{run.name} begins on {place}")

    def cannot_begin(self, run, error):
        self.lines.append(f"{run.name} cannot begin: {error}")

    def event(self, run, event, history): ...

    def dies(self, run, history, code, retry):
        self.lines.append(f"{run.name} dies {code} {retry}")

    def moves(self, run, place):
        self.lines.append(f"{run.name} moves from {place}")

    def ends(self, run, history, code, turns_before):
        self.lines.append(f"{run.name} ends {code}")


def cells(run: RunDir) -> list[str]:
    return sorted(cell.level for cell in of_kind(run.events(), CellFacts))


def test_every_piece_is_carried_out_once_and_every_place_works(tmp_path: Path):
    runs = pieces(tmp_path, 5)
    executor = FakeExecutor(["a", "b"])
    carry = Carrying(runs, executor, Told())
    assert carry() == []
    assert [name for name, _ in executor.started] == [f"piece {number}" for number in range(5)]
    assert executor.most == 2
    assert all(cells(run) == ["0", "20", "40"] for run in runs)
    assert set(carry.codes.values()) == {launch.FINISHED}


def test_a_place_goes_on_with_a_piece_of_its_model_and_passes_none_over_for_long(tmp_path: Path):
    runs = pieces(tmp_path, 10, "mnomnmnmnm")
    executor = FakeExecutor(["a", "b"])
    Carrying(runs, executor, Told())()
    of = {run.name: run.plan.model for run in runs}
    taken = {place: "".join(of[name] for name, at in executor.started if at == place) for place in "ab"}
    assert taken == {"a": "mmomm", "b": "nnnnm"}  # o is the third, and passed over twice


def test_a_place_that_nothing_waits_for_gives_back_what_it_keeps(tmp_path: Path):
    runs = pieces(tmp_path, 3)
    executor = FakeExecutor(["a", "b", "c", "idle"])
    rested: list[set[str]] = []

    def looked() -> bool:
        rested.append(set(executor.rested))
        return False

    Carrying(runs, executor, Told(), looked)()
    assert rested[1] == {"idle"}
    [one] = pieces(tmp_path / "stopped", 1)
    stopped = FakeExecutor(["a"])
    Carrying([one], stopped, Told(), lambda: bool(stopped.started))()
    assert "a" not in stopped.rested  # whoever asked closes it


@pytest.mark.parametrize("ending", ["killed", "crash"])
def test_a_piece_whose_worker_dies_goes_on_elsewhere_from_its_journal(tmp_path: Path, ending: str):
    [run] = pieces(tmp_path, 1)
    executor, told = FakeExecutor(["a", "b"], [3, None], ending), Told()
    Carrying([run], executor, told)()
    assert executor.started == [("piece 0", "a"), ("piece 0", "b")]
    code = launch.FAILED if ending == "crash" else KILLED
    assert told.lines[1:3] == [f"piece 0 dies {code} 1", "piece 0 begins on b"]
    assert cells(run) == ["0", "20", "40"]


def test_on_an_only_place_it_goes_on_there(tmp_path: Path):
    [run] = pieces(tmp_path, 1)
    executor = FakeExecutor(["a"], [2, 2, None])
    Carrying([run], executor, Told())()
    assert len(executor.started) == 3
    assert cells(run) == ["0", "20", "40"]


def test_after_three_more_it_has_failed_and_others_go_on(tmp_path: Path):
    runs = pieces(tmp_path, 2)
    executor, told = FakeExecutor(["a"], [1] * (MOST_RETRIES + 1)), Told()
    carry = Carrying(runs, executor, told)
    carry()
    assert [name for name, _ in executor.started] == ["piece 0"] * 4 + ["piece 1"]
    assert told.lines[-3:] == [f"piece 0 ends {KILLED}", "piece 1 begins on a", "piece 1 ends 0"]
    assert carry.codes == {runs[0].run_id: launch.FAILED, runs[1].run_id: launch.FINISHED}


@pytest.mark.parametrize(("ending", "code"), [("refuse", launch.REFUSED), ("fail", launch.FAILED)])
def test_what_another_worker_would_meet_as_well_is_not_tried_again(tmp_path: Path, ending: str, code: int):
    [run] = pieces(tmp_path, 1)
    executor = FakeExecutor(["a", "b"], ending=ending)
    carry = Carrying([run], executor, Told())
    carry()
    assert carry.codes == {run.run_id: code}
    assert len(executor.started) == 1


def test_what_failed_for_want_of_memory_goes_to_a_larger_place_and_no_further(tmp_path: Path):
    [run] = pieces(tmp_path, 1)
    executor = FakeExecutor(["a", "b", "c"], ending="no memory", rooms={"a": 20, "b": 10, "c": 20})
    executor.places = ["b", "a", "c"]
    told = Told()
    carry = Carrying([run], executor, told)
    carry()
    assert [place for _, place in executor.started] == ["b", "a"]
    assert "piece 0 moves from b" in told.lines
    assert carry.codes == {run.run_id: launch.FAILED}


def test_a_piece_goes_where_it_fits_and_one_that_fits_nowhere_where_most_room_is(tmp_path: Path):
    runs = pieces(tmp_path, 3)
    executor = FakeExecutor(["small", "large"], rooms={"small": 10, "large": 20})
    needs = dict(zip((run.run_id for run in runs), (15, 5, 99), strict=True))
    Carrying(runs, executor, Told(), needs=lambda run: needs[run.run_id])()
    assert executor.started == [("piece 1", "small"), ("piece 0", "large"), ("piece 2", "large")]


def test_a_piece_that_a_place_works_on_already_is_followed_there(tmp_path: Path):
    runs = pieces(tmp_path, 3)
    executor = FakeExecutor(["a", "b"], held={"piece 2": "a", "piece 0": "gone"})
    Carrying(runs, executor, Told())()
    assert executor.started[:2] == [("piece 2", "a"), ("piece 0", "b")] or executor.started[0] == ("piece 0", "a")
    assert ("piece 2", "a") in executor.started


def test_places_that_come_late_are_used_and_pieces_wait_for_the_first(tmp_path: Path):
    runs = pieces(tmp_path, 4)
    executor = FakeExecutor([])
    looks = iter(range(1000))

    def comes() -> bool:
        executor.places = [[], ["a"], ["a", "b"]][min(next(looks) // 3, 2)]
        return False

    assert Carrying(runs, executor, Told(), comes)() == []
    assert {place for _, place in executor.started} == {"a", "b"}
    assert all(cells(run) == ["0", "20", "40"] for run in runs)


def test_a_piece_whose_place_is_gone_is_lost_with_it_and_goes_on_elsewhere(tmp_path: Path):
    [run] = pieces(tmp_path, 1)

    class Going(FakeExecutor):
        def start(self, run: RunDir, place: str) -> FakeWorker:
            worker = super().start(run, place)
            if place == "a":
                self.places, worker.code = ["b"], launch.LOST
            return worker

    told = Told()
    carry = Carrying([run], Going(["a", "b"]), told)
    carry()
    assert told.lines[1:3] == [f"piece 0 dies {launch.LOST} 1", "piece 0 begins on b"]
    assert carry.codes == {run.run_id: launch.FINISHED}


@pytest.mark.parametrize(("ending", "code"), [("finish", launch.FINISHED), ("fail", launch.FAILED)])
def test_a_piece_whose_journal_ends_before_its_place_is_gone_has_ended_so(tmp_path: Path, ending: str, code: int):
    [run] = pieces(tmp_path, 1)

    class Last(FakeWorker):
        def _step(self) -> int | None:
            return None if super()._step() is None else launch.LOST

    class Going(FakeExecutor):
        def start(self, run: RunDir, place: str) -> FakeWorker:
            self.started.append((run.name, place))
            return Last(run, None, ending)

    executor, told = Going(["a", "b"]), Told()
    carry = Carrying([run], executor, told)
    carry()
    assert executor.started == [("piece 0", "a")]
    assert told.lines[-1] == f"piece 0 ends {code}"
    assert carry.codes == {run.run_id: code}


def test_asked_to_stop_all_workers_are_and_nothing_begins(tmp_path: Path):
    runs = pieces(tmp_path, 4)
    executor = FakeExecutor(["a", "b"])
    carry = Carrying(runs, executor, Told(), lambda: len(executor.started) == 2)
    assert carry() == runs[2:]
    assert carry.codes == {run.run_id: launch.STOPPED for run in runs[:2]}
    again = FakeExecutor(["a", "b"])
    assert Carrying(runs, again, Told())() == []
    assert all(cells(run) == ["0", "20", "40"] for run in runs)


def test_a_piece_that_somebody_stopped_ends_the_beginning_of_others(tmp_path: Path):
    runs = pieces(tmp_path, 3)

    class Stopping(FakeExecutor):
        def start(self, run: RunDir, place: str) -> FakeWorker:
            worker = super().start(run, place)
            worker.asked = run.name == "piece 0"
            return worker

    carry = Carrying(runs, Stopping(["a", "b"]), Told())
    assert carry() == [runs[2]]
    assert carry.codes == {runs[0].run_id: launch.STOPPED, runs[1].run_id: launch.FINISHED}


def test_what_cannot_be_begun_is_settled_and_others_go_on(tmp_path: Path):
    runs = pieces(tmp_path, 2)

    class Busy(FakeExecutor):
        def start(self, run: RunDir, place: str) -> FakeWorker:
            if run.name == "piece 0":
                raise UserError("Run is being worked on already.")
            return super().start(run, place)

    told = Told()
    carry = Carrying(runs, Busy(["a"]), told)
    carry()
    assert told.lines[0] == "piece 0 cannot begin: Run is being worked on already."
    assert runs[0].path.exists()
    assert carry.codes == {runs[0].run_id: launch.REFUSED, runs[1].run_id: launch.FINISHED}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_whatever_dies_nothing_is_done_twice_and_nothing_is_missing(tmp_path: Path, seed: int):
    """Workers die at random, and whoever carries the sweep out is asked to stop at random, until all is done."""
    draw = random.Random(seed)
    runs = pieces(tmp_path, 4)
    for _ in range(30):
        executor = FakeExecutor(["a", "b", "c"][: draw.randint(1, 3)], [draw.choice([1, 2, 3, None]) for _ in range(9)])
        looks = iter(range(draw.randint(1, 12)))
        Carrying(runs, executor, Told(), lambda looks=looks: next(looks, None) is None)()
        if all(len(cells(run)) == 3 for run in runs):
            break
    assert [cells(run) for run in runs] == [["0", "20", "40"]] * 4
