"""Bundles that are refused: cut off, changed or forged, in one sentence and with nothing written."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest
from bundles import of_manifest, of_query, of_table, rewrite, rows, with_value
from cases import one_in
from template import copied

from warehouse.errors import UserError
from warehouse.exporters.bundle import member
from warehouse.importers.bundle import import_bundle
from warehouse.store.scratch import scratch_folder

OF_R1_WITHOUT_TASK = pl.when(pl.col("run_id") != "r1").then("task").alias("task")
MANY_ROWS = "select s.* from (from {table} limit 1) s, range(2_000_000)"
LONG_TEXTS = "select e.* replace (repeat('x', 1_000_000) as message) from (from {table} limit 1) e, range(1000)"


def slow(*values: object):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def refused(received, study) -> Callable[[Path, str], None]:
    """One sentence, and a database that is as it was: with the study in it."""
    copied(study, received)
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
        slow(of_query("samples", MANY_ROWS), "too many for"),
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


@pytest.mark.slow
def test_other_figures_of_a_run_that_is_here(bundle, received):
    import_bundle(received, bundle)
    forged = of_table("metrics", lambda table: table.with_columns(pl.col("value") + 0.1))
    rewrite(bundle, forged, mended=True)
    before = rows(received)
    with pytest.raises(UserError, match=re.compile("here already, and its metrics are not those of the bundle")):
        import_bundle(received, bundle)
    assert rows(received) == before
