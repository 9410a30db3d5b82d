"""What of a bundle can be and what cannot, at the limits: a manifest, and small tables of a single value."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.errors import UserError
from warehouse.exporters.bundle import FORMAT, TABLES, VERSION, BundledRun, _shared, member
from warehouse.importers import bundle
from warehouse.importers.bundle import Manifest, import_bundle, is_bundle
from warehouse.store import statements

SCHEMA = len(statements.migrations())
ABOUT = {"bytes": 1, "sha256": "0" * 64, "rows": 1}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        yield con


@pytest.fixture
def table(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The file of a table with these rows, as its statements are told of it."""
    path = tmp_path / "table.parquet"

    def written(select: str) -> dict[str, str]:
        con.execute(f"copy ({select}) to '{path}' (format parquet)")
        return {"path": str(path)}

    return written


def refusal(check: Callable[..., object], *given: Any) -> str | None:
    """Why it is refused, without what is said of every bundle; None if it is taken."""
    try:
        check(*given)
    except UserError as error:
        return str(error).removeprefix("b is not imported: ").removesuffix(". Get it again from whoever made it.")
    return None


def manifest(**changed: Any) -> bytes:
    told = {"format": FORMAT, "version": VERSION, "schema": SCHEMA, "prune_tui": "9.9", "runs": [{"run_id": "r1"}],
            "files": {member(name): ABOUT for name in TABLES}}  # fmt: skip
    return json.dumps(told | changed).encode()


def files(**changed: Any) -> dict[str, Any]:
    """Of the tables, one of them `metrics`, that this is said of; and of a file beside them."""
    return {member(name): ABOUT for name in TABLES} | {member(name): about for name, about in changed.items()}


def test_a_manifest_says_which_runs_and_files_there_are() -> None:
    read = bundle._read_manifest("b", manifest())
    assert (read.schema, read.run_ids, read.files.keys()) == (SCHEMA, ("r1",), {member(name) for name in TABLES})
    assert len(read.fingerprint) == 64
    assert read.kept == []
    assert bundle._read_manifest("b", manifest(files=files(answers=ABOUT))).kept == ["answers"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": "another"}, "its manifest is not a bundle's"),
        ({"version": VERSION + 1}, "b was written by a newer prune-tui (9.9): upgrade prune-tui to import it."),
        ({"schema": SCHEMA + 1}, "b was written by a newer prune-tui (9.9): upgrade prune-tui to import it."),
        ({"version": 1, "schema": 1}, None),
        ({"version": 1, "files": files(documents=ABOUT)}, "it holds 'data/documents.parquet', which no bundle does"),
        ({"files": files(documents=ABOUT)}, None),
        ({"files": files() | {"README.txt": {"bytes": 0, "sha256": "f" * 64}}}, None),
        ({"files": files() | {"load.sql": {"bytes": 0, "sha256": "f" * 64}}}, None),
        ({"files": files() | {"x.sql": ABOUT}}, "it holds 'x.sql', which no bundle does"),
        ({"files": {**files()} | {"load.sql": {"bytes": True, "sha256": "f" * 64}}}, "nothing of use about load.sql"),
        ({"files": {**files()} | {"load.sql": {"bytes": 0, "sha256": "f" * 63}}}, "nothing of use about load.sql"),
        ({"files": {**files()} | {"load.sql": {"bytes": 0, "sha256": "F" * 64}}}, "nothing of use about load.sql"),
        ({"files": files(metrics=ABOUT | {"rows": 1.0})}, "nothing of use about data/metrics.parquet"),
        ({"files": files(answers=ABOUT | {"rows": True})}, "nothing of use about data/answers.parquet"),
        ({"files": files(metrics={"bytes": 1, "sha256": "f" * 64})}, "its manifest cannot be read"),
        ({"files": {member("metrics"): ABOUT}}, "it has no table merged_events"),
        ({"runs": [{"run_id": "a" * 200}, {"run_id": "_A9"}, {"run_id": "a.b+c-d_e"}]}, None),
        ({"runs": [{"run_id": "a" * 201}]}, f"'{'a' * 201}' is no run's id"),
        ({"runs": [{"run_id": ".a"}]}, "'.a' is no run's id"),
        ({"runs": [{"run_id": ""}]}, "'' is no run's id"),
        ({"runs": [{"run_id": 5}]}, "its manifest cannot be read"),
    ],
)  # fmt: skip
def test_a_manifest_is_refused_for_what_no_bundle_says(changed: dict[str, Any], said: str | None) -> None:
    found = refusal(bundle._read_manifest, "b", manifest(**changed))
    assert (found and found.removeprefix("its manifest says ")) == said


CASES = {
    "": {
        "seq": (-(2**53), 2**53), "parameters": (0, 10**15), "bytes": (0, 10**15), "num_fewshot": (-1, 10**6),
        "seconds": (0, 10**12), "n": (0, 10**15), "recorded_at": ("1970-01-01", "9999-12-31"),
    },
    "merged_events": {"journal_end": (0, 10**15), "merged_at": ("1970-01-01", "9999-12-31")},
    "attempts": {"attempt": (0, 10**15), "pid": (0, 10**15)},
    "models": dict.fromkeys(
        ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
         "vocab_size"), (1, 2**31 - 1),
    ),
    "variants": {
        "intermediate_size": (1, 2**31 - 1), "padded_size": (1, 2**31 - 1), "pruning_pct": (0, 100),
        "expansion_ratio": (0, 10**6),
    },
    "tasks": {"n_docs": (0, 10**15), "n_requests": (0, 10**15)},
    "metrics": {"chance": (-1, 1)},
    "samples": {"doc_id": (0, 2**31 - 1), "weight": (0, 10**15)},
    "documents": {"doc_id": (0, 2**31 - 1)},
    "answers": {"doc_id": (0, 2**31 - 1)},
    "measurements": {"batch_size": (0, 10**15)},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_value_at_the_edge_of_what_can_be_is_taken_and_one_beyond_it_is_not(con, table, name: str) -> None:
    def written(value: Any, beyond: int) -> str:
        whole = (
            f"{value}::bigint + {beyond}"
            if isinstance(value, int)
            else f"timestamp '{value}' + {beyond} * interval 1 second"
        )
        return f"({whole})"

    def check(values: dict[str, str]) -> str | None:
        path = table("select " + ", ".join(f"{value} as {column}" for column, value in values.items()))
        return refusal(bundle._check_values, con, name or "cells", path, dict.fromkeys(values, "BIGINT"), "b")

    edges = CASES[name].items()
    assert [check({column: written(edge[side], 0) for column, edge in edges}) for side in (0, 1)] == [None, None]
    said = {
        (column, side): check({column: written(edge[side], 2 * side - 1)}) for column, edge in edges for side in (0, 1)
    }
    assert said == {
        (column, side): f"its table {name or 'cells'} has a {column} that cannot be" for column, side in said
    }


def test_numbers_that_may_be_anything_may_be_no_nan(con, table) -> None:
    """An error is zero or more; what is null is no value."""

    def check(name: str, **values: str) -> str | None:
        path = table("select " + ", ".join(f"{value} as {column}" for column, value in values.items()))
        return refusal(bundle._check_values, con, name, path, dict.fromkeys(values, "DOUBLE"), "b")

    stderr, speed = "its table metrics has a stderr that cannot be", "its table measurements has a {} that cannot be"
    assert [check("metrics", stderr=one) for one in ("0.0", "'inf'::double", "null::double")] == [None] * 3
    assert [check("metrics", stderr=one) for one in ("-1e-9", "'nan'::double")] == [stderr] * 2
    for column in ("mean", "std", "min", "max"):
        assert [check("measurements", **{column: one}) for one in ("'-inf'::double", "'inf'::double")] == [None] * 2
        assert check("measurements", **{column: "'nan'::double"}) == speed.format(column)
    assert check("metrics", stderr="0.0", value="'nan'::double") is None


def test_a_level_must_be_one_and_there_are_not_too_many(con, table, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(*levels: str) -> str | None:
        path = table(f"select unnest({list(levels)}) as level, 1 as seq")
        return refusal(bundle._check_values, con, "cells", path, {"level": "VARCHAR", "seq": "BIGINT"}, "b")

    assert check("0", "20", "w5") is None
    assert check("x" * 50) == f"its table cells has a level that is none: '{'x' * 40}'"
    monkeypatch.setattr(bundle, "_MOST_LEVELS", 2)
    assert [check("0"), check("0", "20")] == [None, "its table cells has too many levels"]


@pytest.mark.parametrize(
    ("value", "kind", "takes"),
    [
        ("'ä€'", "VARCHAR", 5), ("json('[1]')", "JSON", 3), ("'ab'::blob", "BLOB", 2),
        ("[1.0, 2]::double[]", "DOUBLE[]", 16),
        ("[true, null]", "BOOLEAN[]", 2), ("['a', 'bcd']", "VARCHAR[]", 36), ("null::varchar", "VARCHAR", 0),
    ],
)  # fmt: skip
def test_texts_and_lists_take_what_is_in_them(con, table, value: str, kind: str, takes: int) -> None:
    path = table(f"select {value} as one, 'abc' as other, 5 as number from range(2)")
    types = {"one": kind, "other": "VARCHAR", "number": "INTEGER"}
    said = [
        refusal(bundle._check_texts, con, "events", path, types, most, "b") for most in (2 * takes + 6, 2 * takes + 5)
    ]
    assert said == [None, f"its table events unfolds to more than {2 * takes + 5} bytes"]


@pytest.fixture
def checked(con, table, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    """What is said of a table of one event when its manifest says this, and its file that it takes so much."""

    def check(*, unfolded: int = 0, schema: int = SCHEMA, ours=(("kind", "VARCHAR"), ("seq", "INTEGER")), **about: int):
        real = statements.query
        monkeypatch.setattr(
            bundle.statements,
            "query",
            lambda name: f"select {unfolded} where $path <> ''" if name == "bundle_unfolded" else real(name),
        )
        told = Manifest("", schema, ("r1",), {member("events"): ABOUT | about})
        path = table("select 'error' as kind, 5 as seq")
        found = refusal(bundle._check_table, con, "events", list(ours), path, told, "b")
        monkeypatch.undo()
        return found

    return check


def test_a_table_has_up_to_two_rows_for_each_byte_beyond_two_hundred_thousand(checked) -> None:
    assert checked() is None
    assert checked(rows=200_200, bytes=100) == "its table events does not have the 200,200 rows that it should"
    assert checked(rows=200_201, bytes=100) == "200,201 rows of events are too many for 100 bytes"


def test_a_table_unfolds_to_up_to_two_hundred_times_its_bytes_beyond_64_million(checked) -> None:
    most = (64 << 20) + 200 * 100
    assert checked(bytes=100, unfolded=most) is None
    assert checked(bytes=100, unfolded=most + 1) == f"its table events unfolds to more than {most:,} bytes"


def test_a_table_of_an_older_schema_may_lack_columns_and_no_other_may(checked) -> None:
    more, fewer = (("kind", "VARCHAR"), ("new", "INTEGER"), ("seq", "INTEGER")), (("kind", "VARCHAR"),)
    other = "its table events has other columns than this prune-tui's"
    assert [checked(schema=SCHEMA - 1, ours=more), checked(ours=more)] == [None, other]
    assert [checked(schema=SCHEMA - 1, ours=fewer), checked(schema=SCHEMA - 1)] == [other, None]


@pytest.mark.parametrize("where", ["no folder", "a log"])
def test_a_bundle_makes_no_database_where_none_can_be(tmp_path: Path, where: str) -> None:
    """Said before the bundle is looked at."""
    received = tmp_path / "missing" / "received.duckdb" if where == "no folder" else tmp_path / "received.duckdb"
    if where == "a log":
        received.with_name("received.duckdb.wal").touch()
    with pytest.raises(UserError, match="There is no folder" if where == "no folder" else "but its log"):
        import_bundle(received, tmp_path / "none.bundle")
    assert not received.exists()


def test_a_bundle_is_a_zip_by_its_first_four_bytes(tmp_path: Path) -> None:
    told = {}
    for content in (b"PK\x03\x04", b"PK\x03\x04more", b"PK\x03", b"PK\x05\x06"):
        (tmp_path / "b").write_bytes(content)
        told[content] = is_bundle(tmp_path / "b")
    assert list(told.values()) == [True, True, False, False]


def test_a_run_in_a_bundle_goes_by_names_without_folders() -> None:
    run = BundledRun("r1", "of /home/alice/tiny", "ours", "m1", "/home/alice/tiny", 3)
    assert _shared(run).model == "tiny"
    assert _shared(BundledRun("r1", "mine", "ours", None, None, 3)) == BundledRun("r1", "mine", "ours", None, None, 3)
    assert _shared(BundledRun("r1", "mine", "ours", "m1", "org/Tiny", 3)).model == "org/Tiny"
