"""A piece's files come home: in order, whole, once, whatever is lost, late, doubled or cut short on the way."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.runs.create import create
from engine.runs.rundir import RunDir
from engine.sweeps import carried, streaming
from engine.sweeps.carried import Carried
from engine.sweeps.streaming import Copy, StreamError, answer, files_of, lay_out
from warehouse.records.events import Log, of_kind
from warehouse.records.level import parse_levels
from warehouse.store.journal import Journal

FIRST = Carried(number=1, host="node", folder="/there", log=0)


@pytest.fixture
def home(tmp_path: Path) -> RunDir:
    plan = RunPlan(name="piece", model="m", levels=tuple(parse_levels("0,20")), tasks=(TaskSpec("piqa"),))
    return create(plan, tmp_path / "results.duckdb")


@pytest.fixture
def there(tmp_path: Path, home: RunDir) -> RunDir:
    node = RunDir(tmp_path / "node" / home.run_id)
    lay_out(node.path, Copy(home, FIRST).sent())
    return node


def write(run: RunDir, *messages: str) -> None:
    """Each with a file that it speaks of."""
    journal = Journal(run.journal_path)
    run.samples_dir.mkdir(exist_ok=True)
    for message in messages:
        (run.samples_dir / f"{message}.parquet").write_bytes(message.encode() * 100)
        journal.append(Log(message=message, level_name="info"))
        with run.log_path.open("a") as log:
            log.write(f"{message}\n")
    journal.close()


def said(run: RunDir) -> list[str]:
    return [log.message for log in of_kind(run.events(), Log)]


def same(home: RunDir, there: RunDir) -> bool:
    names = [*files_of(there.path), "journal.jsonl", "worker.log"]
    return all((home.path / name).read_bytes() == (there.path / name).read_bytes() for name in names)


def bring(copy: Copy, there: RunDir, chunk: int = 200) -> None:
    while not (came := answer(there.path, copy.request(), chunk))["drained"]:
        copy.take(came)


def test_all_comes_home_in_small_parts(home: RunDir, there: RunDir):
    write(there, "one", "two", "three")
    bring(Copy(home, FIRST), there)
    assert said(home) == ["one", "two", "three"]
    assert same(home, there)


def test_a_file_is_there_before_the_line_that_speaks_of_it(home: RunDir, there: RunDir):
    write(there, *map(str, range(5)))
    copy = Copy(home, FIRST)
    while not (came := answer(there.path, copy.request(), 50))["drained"]:
        copy.take(came)
        assert all((home.samples_dir / f"{message}.parquet").stat().st_size == 100 for message in said_so_far(home))
    assert len(said(home)) == 5


def said_so_far(run: RunDir) -> list[str]:
    return said(run) if run.journal_path.exists() else []


def test_a_line_that_is_cut_waits_for_its_end(home: RunDir, there: RunDir):
    write(there, "one")
    whole = there.journal_path.read_bytes()
    copy = Copy(home, FIRST)
    write(there, "two")
    both = there.journal_path.read_bytes()
    there.journal_path.write_bytes(both[:-5])
    bring(copy, there)
    assert home.journal_path.read_bytes() == whole
    there.journal_path.write_bytes(both)
    bring(copy, there)
    assert said(home) == ["one", "two"]


def test_of_lines_that_are_cut_on_the_way_the_whole_ones_are_taken(home: RunDir, there: RunDir):
    write(there, "one", "two")
    copy = Copy(home, FIRST)
    while (came := answer(there.path, copy.request()))["journal"] is None:
        copy.take(came)
    offset, lines = came["journal"]
    copy.take(came | {"journal": (offset, lines[:-7])})
    assert said(home) == ["one"]
    bring(copy, there)
    assert said(home) == ["one", "two"]


def test_an_answer_of_an_earlier_attempt_is_not_taken(home: RunDir, there: RunDir):
    write(there, "one")
    before = Copy(home, FIRST)
    bring(before, there)
    write(there, "late")
    after = Copy(home, replace(FIRST, number=2, log=home.log_path.stat().st_size))
    while (came := answer(there.path, before.request()))["journal"] is None:
        after.take(came)
        before.take(came)
    after.take(came)
    assert said(home) == ["one"]


def test_an_answer_that_comes_twice_or_late_changes_nothing(home: RunDir, there: RunDir):
    write(there, "one", "two", "three")
    copy, old = Copy(home, FIRST), []
    draw = random.Random(7)
    while not (came := answer(there.path, copy.request(), 200))["drained"]:
        copy.take(came)
        old.append(came)
        copy.take(draw.choice(old))
    assert same(home, there)


def test_whoever_begins_again_goes_on_from_what_is_there(home: RunDir, there: RunDir):
    write(there, "one", "two")
    for _ in range(200):  # each takes one answer and is killed
        copy = Copy(home, FIRST)
        came = answer(there.path, copy.request(), 150)
        if came["drained"]:
            break
        copy.take(came)
    assert same(home, there)


def test_a_file_that_came_damaged_is_fetched_again(home: RunDir, there: RunDir):
    write(there, "one")
    copy = Copy(home, FIRST)
    came = answer(there.path, copy.request())
    name, offset, content, size, sha256 = came["file"]
    copy.take(came | {"file": (name, offset, content[:-1] + b"?", size, sha256)})
    assert files_of(home.path) == []
    bring(copy, there)
    assert same(home, there)


def test_what_a_crash_left_of_a_line_here_is_cut_off(home: RunDir, there: RunDir):
    write(there, "one", "two")
    bring(Copy(home, FIRST), there)
    home.journal_path.write_bytes(home.journal_path.read_bytes()[:-4])
    bring(Copy(home, FIRST), there)
    assert said(home) == ["one", "two"]


@pytest.mark.parametrize("damage", [lambda line: line.replace(b"one", b"two"), lambda line: line + line])
def test_lines_that_do_not_go_on_from_these_are_refused(home: RunDir, there: RunDir, damage):
    write(there, "one")
    copy = Copy(home, FIRST)
    while (came := answer(there.path, copy.request()))["journal"] is None:
        copy.take(came)
    offset, line = came["journal"]
    with pytest.raises(StreamError):
        copy.take(came | {"journal": (offset, damage(line))})
    assert said_so_far(home) == []


@pytest.mark.parametrize("name", ["../elsewhere.npz", "/etc/passwd", "a/b/c.npz"])
def test_no_file_comes_outside_of_the_folder(home: RunDir, there: RunDir, name: str):
    write(there, "one")
    copy = Copy(home, FIRST)
    came = answer(there.path, copy.request())
    with pytest.raises(StreamError):
        copy.take(came | {"file": (name, *came["file"][1:])})


def test_a_line_longer_than_an_answer_comes_whole(home: RunDir, there: RunDir):
    write(there, "one", "two" * 60)
    bring(Copy(home, FIRST), there, chunk=100)
    assert same(home, there)


def test_an_attempt_begins_with_all_but_the_samples(home: RunDir, there: RunDir, tmp_path: Path):
    write(home, "one")
    (home.path / "calibration.npz").write_bytes(b"tokens")
    sent = Copy(home, replace(FIRST, log=4)).sent()
    assert sorted(sent) == ["calibration.npz", "journal.jsonl", "plan.json"]
    again = RunDir(tmp_path / "other" / home.run_id)
    lay_out(again.path, sent)
    assert said(again) == ["one"]


def test_the_log_of_an_attempt_follows_on_that_of_earlier_ones(home: RunDir, there: RunDir):
    home.log_path.write_text("before\n")
    write(there, "one")
    bring(Copy(home, replace(FIRST, log=7)), there)
    assert home.log_path.read_text() == "before\none\n"


def test_which_attempt_it_is_stands_in_the_run_s_folder(home: RunDir):
    assert carried.read(home) is None
    carried.write(home, FIRST)
    assert carried.read(home) == FIRST
    (home.path / "carried.json").write_text('{"number": 1')
    assert carried.read(home) is None


def test_hashes_of_files_are_taken_once(home: RunDir, there: RunDir, monkeypatch: pytest.MonkeyPatch):
    write(there, "one")
    request = Copy(home, FIRST).request()
    first = answer(there.path, request)
    monkeypatch.setattr(streaming, "_sha256", lambda path: pytest.fail("hashed again"))
    assert answer(there.path, request) == first
