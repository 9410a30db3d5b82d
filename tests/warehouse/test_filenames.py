"""Names made from what people name: one for each, never too long, and never another file's."""

from __future__ import annotations

import itertools
from hashlib import sha256
from pathlib import Path

import pytest

from warehouse import filenames
from warehouse.store import backup, db

NAMES = (
    "数学",
    "语文",
    "a/b",
    "a_b",
    "a b",
    "A_B",
    "a_B",
    "x" * 300,
    "x" * 301,
    "..",
    "",
    "é",
    "e\u0301",
    "\udcff",
    "piqa",
)


@pytest.mark.parametrize(("one", "other"), itertools.combinations(NAMES, 2))
def test_two_texts_have_two_names_on_file_systems_that_ignore_case_too(one: str, other: str) -> None:
    assert filenames.part(one).casefold() != filenames.part(other).casefold()


def test_no_text_can_take_the_name_that_was_made_for_another() -> None:
    made = filenames.part("数学")
    assert filenames.part(made) != made


@pytest.mark.parametrize("name", ["r" * 240 + ".duckdb", "数" * 80 + ".duckdb", "r" * 255])
def test_a_draft_beside_the_longest_name_is_a_file_that_can_be_made(tmp_path: Path, name: str) -> None:
    draft = filenames.beside(tmp_path / name, "backup.new")
    draft.write_text("")
    assert draft != filenames.beside(tmp_path / f"{name[:-1]}X", "backup.new")


def test_a_draft_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "run.parquet").write_text("what a run wrote")
    (tmp_path / "draft").write_text("new")
    with pytest.raises(FileExistsError):
        filenames.publish(tmp_path / "draft", tmp_path / "run.parquet")
    assert filenames.publish_beside(tmp_path / "draft", tmp_path, "run", ".parquet") == tmp_path / "run-2.parquet"
    assert (tmp_path / "run.parquet").read_text() == "what a run wrote"
    assert (tmp_path / "run-2.parquet").read_text() == "new"


def test_without_hard_links_a_file_is_still_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    (tmp_path / "taken").write_text("old")
    (tmp_path / "draft").write_text("new")
    with pytest.raises(FileExistsError):
        filenames.publish(tmp_path / "draft", tmp_path / "taken")
    filenames.publish(tmp_path / "draft", tmp_path / "free")
    assert [(tmp_path / name).read_text() for name in ("taken", "free")] == ["old", "new"]


def test_a_database_with_a_long_name_is_backed_up_more_than_once(tmp_path: Path) -> None:
    database = tmp_path / f"{'r' * 244}.duckdb"  # with ".wal" the longest there can be
    with db.open_write(database) as con:
        made = {backup.make(con, database, 1) for _ in range(2)}
    assert len(made) == 2
    assert all(path.stat().st_size == database.stat().st_size for path in made)
    assert sha256(min(made).read_bytes()).digest() == sha256(max(made).read_bytes()).digest()
