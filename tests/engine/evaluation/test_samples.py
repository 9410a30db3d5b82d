"""A cell's samples lie in a file that no other cell's have."""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow.parquet as pq

from engine.evaluation.samples import write_samples
from engine.evaluation.scoring import Sample

TASKS = ("数学", "语文", "a/b", "a_b", "a b", "A_B", "x" * 300, "x" * 301, "..", "piqa")


def test_tasks_with_much_alike_names_have_files_of_their_own(tmp_path: Path) -> None:
    paths = {}
    for number, task in enumerate(TASKS):
        sample = Sample(number, "none", "acc", 1.0, None, None)
        paths[task] = write_samples(tmp_path / "samples", level="40", task=task, attempt=1, samples=[sample])
    assert [pq.read_table(path)["doc_id"].to_pylist() for path in paths.values()] == [[i] for i in range(len(TASKS))]
    names = [path.name.lower() for path in paths.values()]
    assert all(one != other for one, other in itertools.combinations(names, 2))
    assert all(path.parent == tmp_path / "samples" for path in paths.values())


def test_a_file_that_an_earlier_attempt_of_the_same_number_wrote_stays(tmp_path: Path) -> None:
    def written(value: float) -> Path:
        sample = Sample(1, "none", "acc", value, None, None)
        return write_samples(tmp_path, level="40", task="piqa", attempt=1, samples=[sample])

    first, second = written(0.0), written(1.0)
    assert [pq.read_table(path)["value"].to_pylist() for path in (first, second)] == [[0.0], [1.0]]
    assert sorted(tmp_path.iterdir()) == sorted((first, second))


def test_a_plain_name_stays_as_it_is(tmp_path: Path) -> None:
    path = write_samples(tmp_path, level="2.4x", task="arc_challenge", attempt=2, samples=[])
    assert path.name == "2.4x-arc_challenge-2.parquet"
