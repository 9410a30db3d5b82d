"""One document of a run, read from the run's own files: what was asked, and what every level answered."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from documents import OF_LEVEL, answered, documented

from warehouse.errors import UserError
from warehouse.merging import merge
from warehouse.read.documents import LevelAnswers, Score, read_document, read_texts


@pytest.fixture
def run(new_run):
    run = new_run("r1")
    run.start()
    documented(run)
    for level in OF_LEVEL:
        answered(run, level)
    return run


def test_a_document_comes_with_every_levels_answers(run, database: Path) -> None:
    found = read_document(database, "r1", "piqa", 1)
    assert (found.prompts, found.choices, found.target) == (("Q1: Bär?",), (" yes", " no"), 1)
    assert found.doc_hash == sha256(b"1").hexdigest()
    scores = (Score("acc", "none", 0.0, "0"), Score("acc_norm", "none", 1.0, "1"))
    assert found.levels == tuple(
        LevelAnswers(level, tuple(values), (False, True), (), scores) for level, values in OF_LEVEL.items()
    )


def test_levels_can_be_chosen_and_the_others_files_are_left_alone(run, database: Path) -> None:
    (run.folder / "samples/0-piqa-1.parquet").write_bytes(b"damaged")
    assert [one.level for one in read_document(database, "r1", "piqa", 0, levels=["40"]).levels] == ["40"]


def test_a_cell_from_before_there_were_answers_has_its_scores(new_run, database: Path) -> None:
    run = new_run("r1")
    run.start()
    answered(run, "0", before=True)
    documented(run)  # taken up again by a program that keeps them
    answered(run, "40")
    old, new = read_document(database, "r1", "piqa", 0).levels
    assert (old.log_likelihoods, old.texts) == ((), ())
    assert old.scores == new.scores
    assert new.log_likelihoods == (-0.25, float("-inf"))


def test_what_is_kept_for_reading_changes_nothing_that_is_merged(run, database: Path, ask) -> None:
    merge.merge_run(database, run.folder)
    assert ask("select level, doc_id, metric, value, response from samples order by all")[:2] == [
        ("0", 0, "acc", 0.0, "0"), ("0", 0, "acc_norm", 1.0, "1"),
    ]  # fmt: skip
    assert ask("select count(*) from samples") == [(8,)]
    assert ask("select kind from merged_events where kind = 'documents'") == []


@pytest.mark.parametrize("name", ["documents/piqa-1.parquet", "samples/40-piqa-1.parquet"])
def test_a_missing_or_damaged_file_is_named(run, database: Path, name: str) -> None:
    file = run.folder / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is damaged, or was written by others"):
        read_document(database, "r1", "piqa", 0)
    file.unlink()
    with pytest.raises(UserError, match=rf"{name} cannot be read \(No such file or directory\): put it back"):
        read_document(database, "r1", "piqa", 0)


def test_a_damaged_file_whose_hash_nobody_knows_is_named_too(new_run, database: Path) -> None:
    run = new_run("r1")
    run.start()
    documented(run)
    answered(run, "0", before=True)
    file = run.folder / "samples/0-piqa-1.parquet"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UserError, match="parquet cannot be read") as caught:
        read_document(database, "r1", "piqa", 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("r9", "piqa", 0), "There is no journal of run r9"),
        (("r1", "boolq", 0), "no answers of a task 'boolq': it has those of piqa"),
        (("r1", "piqa", 2), "asked no document 2 of piqa: it asked 2"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(run, database: Path, asked: tuple, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_document(database, *asked)
    with pytest.raises(UserError, match="no answers of piqa at level 60: it has 0, 40"):
        read_document(database, "r1", "piqa", 0, levels=["60"])


def test_a_file_outside_the_runs_folder_is_not_read(run, database: Path) -> None:
    run.line("documents", task="piqa", path="../../x.parquet", hash="0" * 64, count=1)
    with pytest.raises(UserError, match="lies outside the run's folder"):
        read_document(database, "r1", "piqa", 0)


def test_a_run_that_kept_none_says_so(new_run, database: Path) -> None:
    run = new_run("r1")
    run.start()
    answered(run, "0", before=True)
    with pytest.raises(UserError, match="made before documents were kept"):
        read_document(database, "r1", "piqa", 0)


def test_the_texts_of_all_documents_are_read_at_once(run, database: Path) -> None:
    assert read_texts(database, "r1", ["piqa"]) == {
        ("piqa", 0): "Q0: Bär?\n yes\n no", ("piqa", 1): "Q1: Bär?\n yes\n no",
    }  # fmt: skip
    with pytest.raises(UserError, match="could not keep those of boolq"):
        read_texts(database, "r1", ["piqa", "boolq"])
