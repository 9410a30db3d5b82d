"""A cell's samples lie in a file that no other cell's have."""

from __future__ import annotations

import itertools
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq

from engine.evaluation.answers import Answers
from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import Sample

TASKS = ("数学", "语文", "a/b", "a_b", "a b", "A_B", "x" * 300, "x" * 301, "..", "piqa")


def written(folder: Path, sample: Sample, task: str = "piqa") -> Path:
    return write_samples(folder, level="40", task=task, attempt=1, samples=[sample], answers={})[0]


def test_tasks_with_much_alike_names_have_files_of_their_own(tmp_path: Path) -> None:
    paths = {}
    for number, task in enumerate(TASKS):
        sample = Sample(number, "none", "acc", 1.0, None, None)
        paths[task] = written(tmp_path / "samples", sample, task)
    assert [pq.read_table(path)["doc_id"].to_pylist() for path in paths.values()] == [[i] for i in range(len(TASKS))]
    names = [path.name.lower() for path in paths.values()]
    assert all(one != other for one, other in itertools.combinations(names, 2))
    assert all(path.parent == tmp_path / "samples" for path in paths.values())


def test_a_file_that_an_earlier_attempt_of_the_same_number_wrote_stays(tmp_path: Path) -> None:
    first, second = (written(tmp_path, Sample(1, "none", "acc", value, None, None)) for value in (0.0, 1.0))
    assert [pq.read_table(path)["value"].to_pylist() for path in (first, second)] == [[0.0], [1.0]]
    assert sorted(tmp_path.iterdir()) == sorted((first, second))


def test_a_plain_name_stays_as_it_is(tmp_path: Path) -> None:
    path, _ = write_samples(tmp_path, level="2.4x", task="arc_challenge", attempt=2, samples=[], answers={})
    assert path.name == "2.4x-arc_challenge-2.parquet"


def test_what_a_document_was_answered_stands_in_its_first_row(tmp_path: Path) -> None:
    rows = [Sample(doc_id, "none", metric, 1.0, None, None) for doc_id in (0, 1) for metric in ("acc", "acc_norm")]
    exact = [-1 / 3, float("-inf"), -1e-300]
    answers = {0: Answers(exact, [True, False, False], []), 1: Answers([], [], ["été 熊"])}
    path, hash_ = write_samples(tmp_path, level="0", task="piqa", attempt=1, samples=rows, answers=answers)
    table = pq.read_table(path).to_pydict()
    assert table["log_likelihoods"] == [exact, None, [], None]
    assert table["greedy"] == [[True, False, False], None, [], None]
    assert table["texts"] == [[], None, ["été 熊"], None]
    assert hash_ == sha256(path.read_bytes()).hexdigest()
