"""Sharing: everything in one file, and another warehouse that takes it in whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl
import pytest
from cases import one_in
from template import once

from warehouse.errors import UserError
from warehouse.exporters.bundle import TABLES, load_script, member, write_bundle
from warehouse.exporters.export import export_deltas
from warehouse.importers import import_bundle, is_bundle
from warehouse.merging import merge
from warehouse.read.metric_lookup import MetricQuery
from warehouse.read.trace import trace
from warehouse.store import db
from warehouse.store.scratch import scratch_folder

UNSHARED = {"attempts": ("host", "pid"), "merged_events": ("row_count", "row_digest")}
ROWS = Path(__file__).parents[1].joinpath("tables_of_bundle.sql").read_text(encoding="utf-8")
OF_R1_WITHOUT_TASK = pl.when(pl.col("run_id") != "r1").then("task").alias("task")
MANY_ROWS = "select s.* from (from {table} limit 1) s, range(2_000_000)"
LONG_TEXTS = "select e.* replace (repeat('x', 1_000_000) as message) from (from {table} limit 1) e, range(1000)"
FORMATS = ("markdown", "csv", "parquet", "json")


def write_samples(run, level: str, scores: list[int]) -> str:
    name = f"samples/{level}-piqa-1.parquet"
    pl.DataFrame(
        {
            "doc_id": pl.Series(range(len(scores)), dtype=pl.Int32),
            "filter": "none",
            "metric": "acc",
            "value": pl.Series(scores, dtype=pl.Float64),
            "weight": pl.Series([None] * len(scores), dtype=pl.Float64),
            "response": [str(score) for score in scores],
        }
    ).write_parquet(run.folder / name)
    return name


@pytest.fixture
def filled(new_run, merged, metric, database, study, session_folder) -> Path:
    """A run with documents, a failure and odd numbers, one of another model, and the study; made once a session."""

    def make(kept: Path) -> None:
        fill(new_run, merged, metric, database, study)
        shutil.copytree(database.parent, kept)

    shutil.copytree(once(session_folder / "sender", make), database.parent, dirs_exist_ok=True)
    return database


def fill(new_run, merged, metric, database: Path, study: Path) -> None:
    shutil.copy(study, database)
    run = new_run("r1")
    run.start()
    for level, scores in (("0", [1, 1, 1, 0, 1, 0]), ("20", [1, 0, 1, 0, 1, 0]), ("40", [0, 0, 1, 0, 0, 0])):
        name = write_samples(run, level, scores)
        run.cell(level, "piqa", metrics=[metric("acc", sum(scores) / 6, stderr=0.1)], samples=name)
        run.cell(level, "wikitext", metrics=[metric("word_perplexity", float("inf") if level == "40" else 10.0)])
    run.line("cell_failed", level="40", task="boolq", error="out of memory", detail="…")
    run.line("gpu", samples=[{"power": float("nan")}])
    run.line("finished", failed=1)
    other = new_run("r2")
    other.start(model="org/Other", weights="w2")
    other.cell("0", "piqa", 0.5)
    merged(run, other)


@pytest.fixture
def bundle(filled, tmp_path, session_folder) -> Path:
    kept = once(session_folder / "sender.bundle", lambda draft: write_bundle(filled, draft))
    return Path(shutil.copy(kept, tmp_path / "shared.bundle"))


@pytest.fixture
def received(tmp_path) -> Path:
    return tmp_path / "elsewhere" / "received.duckdb"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()


def rows(path: Path, *tables: str) -> dict[str, list[tuple]]:
    """What tables hold, but for what a bundle leaves out; of all, unless some are named."""
    found = {}
    with db.open_read(path) as con:
        for table in tables or TABLES:
            leave = {"merged_at", *UNSHARED.get(table, ())}
            cursor = con.execute(ROWS.replace("{table}", table))
            keep = [index for index, column in enumerate(cursor.description or ()) if column[0] not in leave]
            found[table] = [tuple(repr(row[index]) for index in keep) for row in cursor.fetchall()]
    return found


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


# What is refused


def rewrite(bundle: Path, change: Callable[[dict[str, bytes]], None], *, mended: bool = False, **options) -> None:
    """Change the members; `mended` writes their new sizes and hashes into the manifest, as a forger would."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if mended:
        manifest = json.loads(members["manifest.json"])
        for name, about in manifest["files"].items():
            about |= {"bytes": len(members[name]), "sha256": sha256(members[name]).hexdigest()}
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(bundle, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def of_manifest(change: Callable[[dict], object]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return changed


def of_table(table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[dict[str, bytes]], None]:
    def changed(members: dict[str, bytes]) -> None:
        import io

        buffer = io.BytesIO()
        change(pl.read_parquet(members[member(table)])).write_parquet(buffer)
        members[member(table)] = buffer.getvalue()

    return changed


def of_query(table: str, query: str) -> Callable[[dict[str, bytes]], None]:
    """A table of other rows, with the types that it has: `query` reads them from `{table}`."""

    def changed(members: dict[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as name:
            before, after = Path(name) / "before.parquet", Path(name) / "after.parquet"
            before.write_bytes(members[member(table)])
            with duckdb.connect() as con:
                rows = query.replace("{table}", f"'{before}'")
                con.execute(f"copy ({rows}) to '{after}' (format parquet, compression zstd)")
                [(count,)] = con.execute(f"select count(*) from '{after}'").fetchall()
            members[member(table)] = after.read_bytes()
        of_manifest(lambda manifest: manifest["files"][member(table)].update(rows=count))(members)

    return changed


def with_value(table: str, column: str, value: str) -> Callable[[dict[str, bytes]], None]:
    return of_query(table, f"select * replace ({value} as {column}) from {{table}}")


def slow(*values: object):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def refused(received, study) -> Callable[[Path, str], None]:
    """One sentence, and a database that is as it was: with the study in it."""
    shutil.copy(study, received)
    return lambda bundle, said: check_refused(received, bundle, said)


def check_refused(received: Path, bundle: Path, said: str) -> None:
    before = rows(received)
    with pytest.raises(UserError, match=said) as caught:
        import_bundle(received, bundle)
    assert "\n" not in str(caught.value)
    assert rows(received) == before
    assert [path.name for path in received.parent.iterdir()] == ["received.duckdb"]


@pytest.mark.parametrize("kept", one_in(4, [0.0, 0.3, 0.9, 0.999]))
def test_a_bundle_that_was_cut_off(bundle, refused, kept):
    content = bundle.read_bytes()
    bundle.write_bytes(content[: max(10, int(kept * len(content)))])
    refused(bundle, "damaged or was cut off")


def test_a_byte_that_flipped(bundle, refused):
    content = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo(member("metrics"))
    content[info.header_offset + 200] ^= 1
    bundle.write_bytes(bytes(content))
    refused(bundle, "damaged|altered")


@pytest.mark.parametrize(
    ("change", "said"),
    one_in(4, [
        (lambda m: m.pop(member("metrics")), "data/metrics.parquet is missing"),
        (lambda m: m.pop("manifest.json"), "without a manifest.json"),
        (lambda m: m.update({"../../evil": b"x"}), "'../../evil', which its manifest does not name"),
        (lambda m: m.update({"/etc/evil": b"x"}), "which its manifest does not name"),
        (lambda m: m.update({member("metrics"): m[member("cells")]}), "altered or damaged"),
        (lambda m: m.update({"manifest.json": b"{"}), "manifest cannot be read"),
        (lambda m: m.update({"manifest.json": b"[" * 100_000}), "manifest cannot be read"),
        (of_manifest(lambda m: m.update(version=99)), "newer prune-tui .*: upgrade"),
        (of_manifest(lambda m: m.update(schema=99)), "newer prune-tui .*: upgrade"),
        (of_manifest(lambda m: m.update(format="another")), "not a bundle's"),
        (of_manifest(lambda m: m["files"].update({"../evil": m["files"]["load.sql"]})), "which no bundle does"),
        (of_manifest(lambda m: m["runs"][0].update(run_id="../../evil")), "no run's id"),
        (of_manifest(lambda m: m["files"][member("metrics")].update(rows=3)), "does not have the 3 rows"),
        (of_manifest(lambda m: m["files"][member("metrics")].update(rows=10**9)), "1,000,000,000 rows of metrics"),
        (of_manifest(lambda m: m["files"][member("metrics")].pop("sha256")), "manifest cannot be read"),
        (of_manifest(lambda m: m["runs"].pop()), "not those of the runs that it names"),
        (lambda m: m.update({"extra\x1b[31m.txt": b"x"}), r"'extra\\x1b\[31m.txt'"),
    ]),
)  # fmt: skip
def test_a_bundle_that_is_not_as_prune_tui_writes_them(bundle, refused, change, said):
    rewrite(bundle, change)
    refused(bundle, said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update({member("metrics"): b"no parquet"}), "cannot be read|no parquet|Parquet"),
        (lambda m: m.update({member("metrics"): b"PAR1" * 100}), "cannot be read: .*file 'metrics.parquet'"),
        (of_table("metrics", lambda t: t.drop("value")), "other columns"),
        (of_table("metrics", lambda t: t.with_columns(pl.lit("a number").alias("value"))), "other columns"),
        (of_table("metrics", lambda t: t.with_columns(pl.lit("stray").alias("run_id"))), "belong to none"),
        (of_table("merged_events", lambda t: t.with_columns(seq=pl.lit(0, pl.Int64))), "not those of the runs"),
        (of_table("metrics", lambda t: t.with_columns(OF_R1_WITHOUT_TASK)), "its tables cannot be read"),
        (with_value("variants", "intermediate_size", "(-5)::integer"), "a intermediate_size that cannot be"),
        (with_value("metrics", "n", "(2::hugeint ** 62)::bigint"), "table metrics has a n that cannot be"),
        slow(with_value("variants", "pruning_pct", "'nan'::double"), "a pruning_pct that cannot be"),
        slow(with_value("variants", "expansion_ratio", "'inf'::double"), "a expansion_ratio that cannot be"),
        slow(with_value("models", "parameters", "(-1)::bigint"), "a parameters that cannot be"),
        slow(with_value("models", "hidden_size", "0::integer"), "a hidden_size that cannot be"),
        slow(with_value("cells", "num_fewshot", "(-2)::integer"), "a num_fewshot that cannot be"),
        slow(with_value("cells", "seconds", "'nan'::double"), "a seconds that cannot be"),
        slow(with_value("cells", "level", "'many'"), "a level that is none: 'many'"),
        slow(with_value("metrics", "level", "'w0'"), "a level that is none: 'w0'"),
        slow(with_value("metrics", "stderr", "-0.5::double"), "a stderr that cannot be"),
        slow(with_value("samples", "doc_id", "(-1)::integer"), "a doc_id that cannot be"),
        slow(with_value("samples", "weight", "'nan'::double"), "a weight that cannot be"),
        slow(with_value("runs", "recorded_at", "timestamp '1900-01-01'"), "a recorded_at that cannot be"),
        slow(with_value("metrics", "recorded_at", "timestamp '9999-12-31 23:00:00'"), "a recorded_at that cannot be"),
        slow(with_value("measurements", "mean", "'nan'::double"), "a mean that cannot be"),
        (of_query("samples", MANY_ROWS), "too many for"),
        (of_query("events", LONG_TEXTS), "table events unfolds to more than"),
    ],
)  # fmt: skip
def test_a_bundle_whose_forger_mended_its_hashes(bundle, refused, change, said):
    rewrite(bundle, change, mended=True)
    refused(bundle, said)


def test_a_zip_bomb_is_not_unpacked(bundle, refused):
    bomb = {member("metrics"): b"\0" * (64 << 20)}
    rewrite(bundle, lambda members: members.update(bomb), mended=True, compression=zipfile.ZIP_DEFLATED)
    assert bundle.stat().st_size < 1 << 20
    refused(bundle, "is compressed, which no bundle's files are")


@pytest.mark.slow
def test_a_bundle_of_an_older_version_lacks_columns_that_came_later(filled, bundle, received, refused, tmp_path):
    older = tmp_path / "older.parquet"
    with duckdb.connect(filled) as con:
        con.execute(f"copy (select * exclude (terms) from samples) to '{older}'")
    rewrite(bundle, lambda members: members.update({member("samples"): older.read_bytes()}), mended=True)
    refused(bundle, "its table samples has other columns")
    rewrite(bundle, of_manifest(lambda manifest: manifest.update(schema=3)))
    import_bundle(received, bundle)
    assert rows(received, "samples") == rows(filled, "samples")


@pytest.mark.slow
def test_a_bundle_that_is_refused_leaves_nothing_where_there_was_no_database(bundle, received):
    rewrite(bundle, with_value("metrics", "n", "(2::hugeint ** 62)::bigint"), mended=True)
    with pytest.raises(UserError, match="n that cannot be"):
        import_bundle(received, bundle)
    assert list(received.parent.iterdir()) == []


def test_what_a_killed_process_left_beside_it_goes(bundle, received):
    dead = subprocess.Popen(["true"])
    dead.wait()
    for owner, kept in ((dead.pid, False), (os.getpid(), True)):
        folder = received.parent / f".scratch-{owner}-abc"
        folder.mkdir()
        (folder / "samples.parquet").touch()
        with scratch_folder(received):
            assert folder.exists() is kept


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


@pytest.mark.slow
def test_other_figures_of_a_run_that_is_here(bundle, received):
    import_bundle(received, bundle)
    forged = of_table("metrics", lambda table: table.with_columns(pl.col("value") + 0.1))
    rewrite(bundle, forged, mended=True)
    before = rows(received)
    with pytest.raises(UserError, match=re.compile("here already, and its metrics are not those of the bundle")):
        import_bundle(received, bundle)
    assert rows(received) == before


def test_an_empty_database_has_nothing_to_share(new_run, merged, database, tmp_path):
    merged(new_run("r1"))
    with pytest.raises(UserError, match="holds no runs"):
        write_bundle(database, tmp_path / "x.bundle")
