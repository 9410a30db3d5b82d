"""A bundle takes documents and answers along, and who receives it reads them as its sender does."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from cases import one_in
from documents import OF_LEVEL, answered, documented
from run_writer import RunWriter

from warehouse.errors import UserError
from warehouse.exporters.bundle import write_bundle
from warehouse.importers import bundle as reading
from warehouse.importers.bundle import import_bundle
from warehouse.merging.delete_run import delete_run
from warehouse.read.documents import read_document, read_texts
from warehouse.store import kept_documents


@pytest.fixture
def run(new_run) -> RunWriter:
    run = new_run("r1")
    run.start()
    documented(run)
    for level in OF_LEVEL:
        answered(run, level)
    return run


@pytest.fixture
def sender(run: RunWriter, merged, database: Path) -> Path:
    merged(run)
    return database


@pytest.fixture
def bundle(sender: Path, tmp_path: Path) -> Path:
    assert write_bundle(sender, tmp_path / "shared.bundle").left_out == ()
    return tmp_path / "shared.bundle"


@pytest.fixture
def receiver(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere" / "received.duckdb"


def test_the_receiver_reads_what_the_sender_reads(sender: Path, bundle: Path, receiver: Path, tmp_path: Path) -> None:
    import_bundle(receiver, bundle)
    for doc_id in (0, 1):
        assert read_document(receiver, "r1", "piqa", doc_id) == read_document(sender, "r1", "piqa", doc_id)
    assert read_texts(receiver, "r1", ["piqa"]) == read_texts(sender, "r1", ["piqa"])
    one = read_document(receiver, "r1", "piqa", 0, levels=["40"])
    assert one.levels == read_document(sender, "r1", "piqa", 0).levels[1:]
    # And passes it on.
    write_bundle(receiver, tmp_path / "again.bundle")
    import_bundle(tmp_path / "third.duckdb", tmp_path / "again.bundle")
    assert read_document(tmp_path / "third.duckdb", "r1", "piqa", 1) == read_document(sender, "r1", "piqa", 1)


@pytest.mark.slow
def test_a_run_that_went_on_is_brought_up_to_date(run, sender, bundle, receiver, merged, tmp_path) -> None:
    import_bundle(receiver, bundle)
    answered(run, "20")
    merged(run)
    write_bundle(sender, tmp_path / "late.bundle")
    for name in ("late", "shared"):
        import_bundle(receiver, tmp_path / f"{name}.bundle")
        assert [one.level for one in read_document(receiver, "r1", "piqa", 0).levels] == ["0", "40", "20"]


@pytest.mark.slow
def test_a_runs_own_folder_stays_as_it_is(sender: Path, bundle: Path) -> None:
    import_bundle(sender, bundle)
    assert not sender.with_suffix(".documents").exists()


def test_a_run_that_is_deleted_takes_them_with_it(bundle: Path, receiver: Path) -> None:
    import_bundle(receiver, bundle)
    assert receiver.with_suffix(".documents").joinpath("r1").is_dir()
    delete_run(receiver, "r1")
    assert not receiver.with_suffix(".documents").joinpath("r1").exists()
    import_bundle(receiver, bundle)
    assert read_document(receiver, "r1", "piqa", 0).choices == (" yes", " no")


@pytest.mark.slow
def test_what_was_removed_by_hand_comes_back_with_the_bundle(bundle: Path, receiver: Path) -> None:
    import_bundle(receiver, bundle)
    [file] = receiver.with_suffix(".documents").rglob("documents-*.parquet")
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(UserError, match="is damaged: remove its folder and import the bundle"):
        read_document(receiver, "r1", "piqa", 0)
    for kept in file.parent.iterdir():
        kept.unlink()
    file.parent.rmdir()
    import_bundle(receiver, bundle)
    assert read_document(receiver, "r1", "piqa", 0).target == 0


def test_a_damaged_file_is_left_out_and_said(sender: Path, tmp_path: Path) -> None:
    file = sender.with_suffix(".runs") / "r1/samples/40-piqa-1.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    report = write_bundle(sender, tmp_path / "x.bundle")
    assert report.left_out == (f"{file} is damaged, or was written by others.",)
    assert (report.rows["documents"], report.rows["answers"], report.rows["samples"]) == (2, 2, 8)


def test_a_bundle_without_documents_is_as_it_was(new_run, merged, database: Path, tmp_path: Path) -> None:
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.5)
    merged(run)
    write_bundle(database, tmp_path / "x.bundle")
    with zipfile.ZipFile(tmp_path / "x.bundle") as archive:
        assert json.loads(archive.read("manifest.json"))["version"] == 1
        assert not {"data/documents.parquet", "data/answers.parquet"} & set(archive.namelist())


def test_a_run_without_documents_gets_no_folder_for_them(run, new_run, merged, database, receiver, tmp_path) -> None:
    other = new_run("r2")
    other.start()
    other.cell("0", "piqa", 0.5)
    merged(run, other)
    write_bundle(database, tmp_path / "x.bundle")
    import_bundle(receiver, tmp_path / "x.bundle")
    assert [kept_documents.folder_of(receiver, one).is_dir() for one in ("r1", "r2")] == [True, False]


def test_a_manifest_may_be_as_large_as_is_allowed_and_no_larger(bundle, receiver, monkeypatch) -> None:
    with zipfile.ZipFile(bundle) as archive:
        size = archive.getinfo("manifest.json").file_size
    monkeypatch.setattr(reading, "_MOST_MANIFEST", size - 1)
    with pytest.raises(UserError, match="its manifest is too large"):
        import_bundle(receiver, bundle)
    monkeypatch.setattr(reading, "_MOST_MANIFEST", size)
    import_bundle(receiver, bundle)


def forge(bundle: Path, kind: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Other rows, with the manifest made to fit, as a forger would."""
    name = f"data/{kind}.parquet"
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rows, buffer = change(pl.read_parquet(members[name])), BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    members[name] = buffer.getvalue()
    manifest = json.loads(members["manifest.json"])
    manifest["files"][name] = {
        "bytes": len(members[name]), "sha256": sha256(members[name]).hexdigest(), "rows": len(rows),
    }  # fmt: skip
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(bundle, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


FORGED: dict[str, tuple[str, Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "of another run": (
        "documents", lambda t: t.with_columns(run_id=pl.lit("../r9")), "documents are not those of the runs"
    ),
    "no run": ("answers", lambda t: t.with_columns(run_id=pl.lit(None, pl.String)), "answers are not those of the"),
    "another column": ("documents", lambda t: t.with_columns(more=1), "documents has other columns"),
    "no JSON": ("documents", lambda t: t.with_columns(target=pl.lit("{")), "documents has a target that is no JSON"),
    "no level": ("answers", lambda t: t.with_columns(level=pl.lit("far")), "answers has a level that is none: 'far'"),
    "no document": ("answers", lambda t: t.with_columns(doc_id=pl.lit(-1, pl.Int32)), "answers has a doc_id that"),
    "too long": (
        "documents",
        lambda t: t.with_columns(prompts=pl.lit(["x" * 50_000_000] * 2, pl.List(pl.String))),
        "documents unfolds to more than",
    ),
    "too many": ("answers", lambda t: pl.concat([t] * 100_000), "rows of answers are too many"),
}  # fmt: skip


def test_an_answer_nested_without_end_is_an_error_in_a_sentence(bundle: Path, receiver: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    forge(bundle, "documents", lambda t: t.with_columns(target=pl.lit(deep)))
    import_bundle(receiver, bundle)
    with pytest.raises(UserError, match="The gold answer of document 0 of piqa in run r1 cannot be read"):
        read_document(receiver, "r1", "piqa", 0)


@pytest.mark.parametrize(("kind", "change", "said"), one_in(3, FORGED.values()), ids=list(FORGED))
def test_a_forged_one_is_refused_as_a_whole(bundle: Path, receiver: Path, kind, change, said: str) -> None:
    forge(bundle, kind, change)
    with pytest.raises(UserError, match=said) as caught:
        import_bundle(receiver, bundle)
    assert "\n" not in str(caught.value)
    assert list(receiver.parent.iterdir()) == []
