"""Sharing: everything in one file, and another warehouse that takes it in whole or not at all."""

from __future__ import annotations

import zipfile
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from bundles import rows
from cases import one_in

from warehouse.errors import UserError
from warehouse.exporters.bundle import TABLES, load_script, write_bundle
from warehouse.exporters.export import export_deltas
from warehouse.importers.bundle import import_bundle, is_bundle
from warehouse.merging import merge
from warehouse.read.metric_lookup import MetricQuery
from warehouse.read.trace import trace
from warehouse.store import db

FORMATS = ("markdown", "csv", "parquet", "json")


@pytest.mark.slow
@pytest.mark.parametrize("format", one_in(2, FORMATS))
def test_tables_of_the_receiver_are_those_of_the_sender_byte_for_byte(filled, bundle, received, format):  # noqa: A002
    import_bundle(received, bundle)
    for model in ("Tiny", "Other", "Llama-3.2-1B", "Llama-3.2-3B"):
        assert export_deltas(received, model=model, format=format) == export_deltas(filled, model=model, format=format)


@pytest.mark.slow
def test_every_row_arrives_once_however_often_it_is_imported(filled, bundle, received):
    assert set(import_bundle(received, bundle).imported) == {run for (run, *_) in runs_of(filled)}
    again = import_bundle(received, bundle)
    assert (again.imported, len(again.known)) == ((), len(runs_of(filled)))
    assert rows(received) == rows(filled)


def runs_of(path: Path) -> list[tuple]:
    with db.open_read(path) as con:
        return con.execute("select distinct run_id from runs").fetchall()


@pytest.mark.slow
def test_the_comparisons_of_documents_are_made_anew(filled, bundle, received):
    import_bundle(received, bundle)
    paired = "select run_id, level, task, pairs, lost, gained, mcnemar_p from paired_deltas order by all"
    with db.open_read(received) as con, db.open_read(filled) as original:
        found = con.execute(paired).fetchall()
        assert len(found) >= 2
        assert found == original.execute(paired).fetchall()


@pytest.mark.slow
def test_its_own_sender_takes_it_back_without_change(filled, bundle):
    before = rows(filled)
    assert import_bundle(filled, bundle).imported == ()
    assert rows(filled) == before


@pytest.mark.slow
def test_a_run_that_went_on_is_brought_up_to_date(new_run, merged, database, received, tmp_path):
    run = new_run("r1")
    run.start()
    run.cell("0", "piqa", 0.5)
    merged(run)
    write_bundle(database, tmp_path / "early.bundle")
    run.cell("20", "piqa", 0.4)
    merge.merge_run(database, run.folder)
    write_bundle(database, tmp_path / "late.bundle")
    for name in ("early", "late", "early"):
        import_bundle(received, tmp_path / f"{name}.bundle")
    assert rows(received, "metrics") == rows(database, "metrics")


@pytest.mark.slow
def test_one_model_or_one_run_can_be_chosen(filled, tmp_path, received):
    write_bundle(filled, tmp_path / "model.bundle", models=["Tiny"])
    assert import_bundle(received, tmp_path / "model.bundle").imported == ("r1",)
    write_bundle(filled, tmp_path / "run.bundle", runs=["r2"])
    assert import_bundle(received, tmp_path / "run.bundle").imported == ("r2",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"models": ["Tinny"]}, "did you mean org/Tiny"), ({"runs": ["nobody"]}, "There is no run 'nobody'")],
)
def test_what_is_not_there_cannot_be_bundled(filled, tmp_path, asked, said):
    with pytest.raises(UserError, match=said):
        write_bundle(filled, tmp_path / "x.bundle", **asked)
    assert not (tmp_path / "x.bundle").exists()


def test_a_file_that_is_there_is_not_replaced(filled, tmp_path):
    (tmp_path / "x.bundle").write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        write_bundle(filled, tmp_path / "x.bundle")
    assert (tmp_path / "x.bundle").read_text() == "precious"


@pytest.mark.slow
def test_nothing_is_left_beside_it(filled, tmp_path, received):
    before = {path.name for path in tmp_path.iterdir()}
    write_bundle(filled, tmp_path / "it's {a} bundle")
    assert {path.name for path in tmp_path.iterdir()} == before | {"it's {a} bundle"}
    import_bundle(received, tmp_path / "it's {a} bundle")
    assert [path.name for path in received.parent.iterdir()] == ["received.duckdb"]


@pytest.mark.slow
def test_a_number_can_be_traced_at_the_receiver_to_the_bundle(bundle, received):
    import_bundle(received, bundle)
    found = trace(received, MetricQuery(model="Tiny", level="20", task="piqa"), received.with_suffix(".runs"))
    assert {check.what: check.holds for check in found.origin.checks} == {
        "journal": None, "samples": True, "samples file": None,
    }  # fmt: skip
    with zipfile.ZipFile(bundle) as archive:
        fingerprint = sha256(archive.read("manifest.json")).hexdigest()
    assert [(note.file, note.fingerprint) for note in found.origin.bundles] == [("shared.bundle", fingerprint)]


@pytest.mark.slow
def test_a_duckdb_shell_makes_the_tables_and_views_of_it(filled, bundle, tmp_path, monkeypatch):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    assert Path("load.sql").read_text(encoding="utf-8") == load_script()
    query = "select model, task, pruning_pct, value, delta from baseline_deltas order by all"
    with duckdb.connect() as con, db.open_read(filled) as original:
        con.execute(load_script())
        assert con.execute(query).fetchall() == original.execute(query).fetchall()


def test_a_bundle_is_told_from_other_files(bundle, database, tmp_path):
    assert is_bundle(bundle)
    assert not is_bundle(database)
    assert not is_bundle(tmp_path / "nothing")


PATH = "/home/alice/my-models/tiny"
PRIVATE = ("alice", "my-models", "secret-host", "4242")


@pytest.fixture
def from_a_machine(new_run, merged, database) -> Path:
    """A run of a local model, which failed with a traceback."""
    run = new_run("r1")
    run.start(model=PATH)
    run.line("attempt", attempt=2, pid=4242, host="secret-host", provenance={"host": "secret-host", "device": "cpu"})
    run.cell("0", "piqa", 0.5)
    run.cell("40", "piqa", 0.4)
    run.line(
        "cell_failed", level="40", task="boolq", error=f"no {PATH}/x.json", detail=f'File "{PATH}/code.py", line 3'
    )
    run.line("crashed", error=f"[Errno 2] '{PATH}'", detail="https://example.com/a/b stays, ~/alice/x.py goes")
    merged(run)
    return database


@pytest.mark.slow
def test_what_is_private_of_a_machine_is_not_shared(from_a_machine, received, tmp_path):
    bundle = tmp_path / "b.bundle"
    write_bundle(from_a_machine, bundle)
    import_bundle(received, bundle)
    with db.open_read(received) as con:
        told = str([con.execute(f"select * from {table}").fetchall() for table in TABLES])
        assert con.execute("select model, source from models").fetchall() == [("tiny", "tiny")]
        assert con.execute("select host, pid, provenance->>'device' from attempts order by seq").fetchall()[-1] == (
            None, None, "cpu",
        )  # fmt: skip
        assert con.execute("select error, detail from failures").fetchall() == [("no x.json", 'File "code.py", line 3')]
        assert con.execute("select message, detail from events where kind = 'crashed'").fetchall() == [
            ("[Errno 2] 'tiny'", "https://example.com/a/b stays, x.py goes")
        ]
    with zipfile.ZipFile(bundle) as archive:
        told += archive.read("manifest.json").decode() + archive.read("README.txt").decode()
    assert [word for word in PRIVATE if word in told] == []


@pytest.mark.slow
def test_a_bundle_says_the_same_as_the_database_that_it_was_made_of(from_a_machine, tmp_path):
    bundle = tmp_path / "b.bundle"
    write_bundle(from_a_machine, bundle)
    assert import_bundle(from_a_machine, bundle).known == ("r1",)


def test_a_table_names_the_model_and_not_its_folder(from_a_machine):
    table = export_deltas(from_a_machine, model=PATH, format="markdown")
    assert "### tiny" in str(table)
    assert "alice" not in str(table)


def test_an_empty_database_has_nothing_to_share(new_run, merged, database, tmp_path):
    merged(new_run("r1"))
    with pytest.raises(UserError, match="holds no runs"):
        write_bundle(database, tmp_path / "x.bundle")
