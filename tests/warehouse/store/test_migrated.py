"""A file of schema 5 (the study, two imports of lm-eval's results, a run of ours) opened by this program."""

from __future__ import annotations

import csv
import gzip
import logging
import math
import shutil
from pathlib import Path

import pytest
from template import once

from warehouse.merging import merge
from warehouse.stats import pairing
from warehouse.store import db

HERE = Path(__file__).parents[1]
COLUMNS = "model, method, pruning_pct, task, metric, filter, value, baseline, delta"


@pytest.fixture
def migrated(database: Path, caplog, session_folder: Path) -> Path:
    """Made once a session, with what lies beside it."""

    def make(kept: Path) -> None:
        with gzip.open(HERE / "schema_0005.duckdb.gz") as packed:
            database.write_bytes(packed.read())
        with caplog.at_level(logging.WARNING), db.open_write(database) as con:
            pairing.refresh(con)
        shutil.copytree(database.parent, kept)

    shutil.copytree(once(session_folder / "migrated", make), database.parent, dirs_exist_ok=True)
    return database


def numbers(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.slow
def test_every_change_has_the_number_that_it_had(migrated, ask):
    with (HERE / "schema_0005_deltas.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert ", ".join(header) == COLUMNS
    before = [((row[0], row[1], float(row[2]), *row[3:6]), [numbers(text) for text in row[6:]]) for row in rows]
    after = ask(f"select {COLUMNS} from baseline_deltas order by all")
    assert len(after) == len(before) > 300
    for (of, old), new in zip(before, after, strict=True):
        assert of == new[:6]
        assert all(
            a == b or (a is not None and math.isclose(a, b, rel_tol=1e-15)) for a, b in zip(old, new[6:], strict=True)
        )


@pytest.mark.slow
def test_a_copy_of_the_file_as_it_was_lies_beside_it(migrated):
    assert [path.name for path in migrated.parent.glob("*.backup.duckdb")] == ["results.schema-5.backup.duckdb"]


@pytest.mark.slow
def test_runs_say_in_columns_what_their_sentences_said(migrated, ask):
    said = ask("select origin, documents, dtype, seeds, chat_template, published, conditions from run_models")
    assert sorted(set(said), key=repr) == [
        ("lm-eval", "5", "float32", None, False, False, "limit 5, float32"),
        ("published", None, None, None, None, True, "all documents, NVIDIA L4"),
        ("run", "6", "float32", "3,1237,1237,1237", False, False, "limit 6, float32, seeds 3,1237,1237,1237"),
    ]


def test_what_its_rows_were_counts_as_true_from_then_on(migrated, ask):
    assert ask("select count(*) from merged_events where row_digest is null") == [(0,)]
    root = migrated.with_suffix(".runs")
    assert merge.merge_all(migrated, root).altered == {}
    with db.open_write(migrated) as con:
        con.execute("update metrics set value = 0.5 where level = '40' and run_id = (select min(run_id) from metrics)")
    [said] = merge.merge_all(migrated, root).altered.values()
    assert said.startswith("values of ")
    assert said.endswith("were changed (no journal here tells what they were: take it in again, into another database)")


@pytest.mark.slow
def test_models_keep_their_ids(migrated, ask):
    assert ask("select count(*) from run_models r join models m using (run_id) where r.model_id <> m.model_id") == [
        (0,)
    ]


@pytest.mark.slow
def test_what_was_paired_stays_paired_and_has_the_new_intervals(migrated, ask):
    paired = "select count(*), count(share_low) from paired_deltas where mcnemar_p is not null"
    [(pairs, with_interval)] = ask(paired)
    assert pairs == with_interval > 0
