"""A results file from Python: the frames are those that the commands print."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from prune_tui import TakenError, UserError, Warehouse


@pytest.fixture(scope="module")
def published(study: Path) -> Warehouse:
    return Warehouse(str(study))


@pytest.fixture(scope="module")
def deltas(published: Warehouse) -> pl.DataFrame:
    return published.deltas("Llama-3.2-1B", tasks=["gsm8k", "ifeval"])


def test_deltas_are_the_rows_of_the_exported_table(published: Warehouse, deltas: pl.DataFrame):
    assert deltas["task"].unique().sort().to_list() == ["gsm8k", "ifeval"]
    assert deltas.columns[:6] == ["model", "method", "pruning_pct", "task", "metric", "value"]
    exported = published.export("Llama-3.2-1B", tasks=["gsm8k", "ifeval"], format="parquet")
    assert isinstance(exported, bytes)
    assert_frame_equal(deltas, pl.read_parquet(io.BytesIO(exported)))


def test_a_change_is_value_less_baseline_and_in_percent_of_it(deltas: pl.DataFrame):
    row = deltas.row(by_predicate=(pl.col("task") == "gsm8k") & (pl.col("pruning_pct") == 40), named=True)
    assert row["delta"] == pytest.approx(row["value"] - row["baseline"])
    assert row["delta_pct"] == pytest.approx(100 * row["delta"] / row["baseline"])


def test_wide_frames_have_a_row_for_each_width(published: Warehouse):
    frame = published.deltas("Llama-3.2-1B", wide=True)
    assert frame["pruning_pct"].to_list() == [0, 10, 20, 30, 40, 50, 60]
    assert {"gsm8k/exact_match", "gsm8k/exact_match/delta_pct"} <= set(frame.columns)


def test_pandas_frames_hold_the_same(deltas: pl.DataFrame):
    same = deltas.to_pandas()
    assert list(same.columns) == deltas.columns
    assert same["value"].tolist() == deltas["value"].to_list()
    assert same["delta"].isna().tolist() == deltas["delta"].is_null().to_list()


def test_runs_and_models_are_listed(published: Warehouse):
    runs = published.runs()
    assert set(runs["origin"]) == {"published"}
    assert isinstance(runs["created_at"][0], datetime)
    assert runs["created_at"].is_sorted(descending=True)
    assert "meta-llama/Llama-3.2-1B" in published.models()["model"]


def test_a_query_becomes_a_frame_of_its_types(published: Warehouse):
    frame = published.sql("select model, count(*) as n, 1 as n from headline_metrics group by model order by model")
    assert frame.schema == {"model": pl.String, "n": pl.Int64, "n_2": pl.Int32}
    assert frame["n"].sum() > 0


def test_a_query_without_rows_keeps_its_types(published: Warehouse):
    frame = published.sql("select model, 1.5::double as x, now()::timestamp as t from models where false")
    assert frame.schema == {"model": pl.String, "x": pl.Float64, "t": pl.Datetime("us")}


def test_no_more_rows_than_asked_for_are_read(published: Warehouse):
    assert published.sql("from range(1000)", row_limit=10).height == 10


@pytest.mark.slow
def test_a_table_is_written_to_a_file_that_is_replaced_only_if_said(published: Warehouse, tmp_path: Path):
    file = tmp_path / "table.csv"
    asked = {"tasks": ["gsm8k"], "format": "csv", "to": file}
    assert published.export("Llama-3.2-1B", **asked) == file.read_text()  # type: ignore[arg-type]
    file.write_text("mine")
    with pytest.raises(TakenError):
        published.export("Llama-3.2-1B", **asked)  # type: ignore[arg-type]
    assert file.read_text() == "mine"
    with pytest.raises(UserError, match="is a database"):
        published.export("Llama-3.2-1B", tasks=["gsm8k"], to=published.path, replace=True)


def test_a_bundle_is_written_to_a_file_that_is_replaced_only_if_said(published: Warehouse, tmp_path: Path):
    run = published.runs()["run_id"][0]
    (tmp_path / "all.zip").touch()
    with pytest.raises(TakenError):
        published.export_bundle(tmp_path / "all.zip", runs=[run])
    assert len(published.export_bundle(tmp_path / "all.zip", runs=[run], replace=True).runs) == 1


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda warehouse: warehouse.deltas("Lama-3.2-1B"), "did you mean"),
        (lambda warehouse: warehouse.deltas("Llama-3.2-1B", tasks=["gsm9k"]), "there is gsm8k"),
        (lambda warehouse: warehouse.sql("drop table runs"), "."),
        (lambda warehouse: warehouse.import_results("nowhere"), "nowhere"),
        (lambda warehouse: Warehouse("nowhere.duckdb").runs(), "There is no database"),
    ],
    ids=["model", "task", "statement", "import", "file"],
)
def test_what_cannot_be_answered_is_one_sentence(published: Warehouse, ask, sentence: str):
    with pytest.raises(UserError) as error:
        ask(published)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_merging_brings_over_what_runs_recorded(tmp_path: Path):
    assert Warehouse(tmp_path / "none.duckdb").merge().merged == {}
