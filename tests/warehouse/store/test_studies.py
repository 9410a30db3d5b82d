"""A paper's claims are no part of a file: whoever asks for them makes them, and nothing of that name in a file runs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.console.console import run_sql
from warehouse.merging import remake
from warehouse.read.claims import read_claims
from warehouse.store import db, schema, statements, studies

SECRET = "create view {} as select error('executed') as claim, 1 as verdict"
HOSTILE = (
    SECRET.format("claims"),
    SECRET.format("claim_changes"),
    "create table claim_pairs (seq bigint)",
    "create view claim_list as select 'theirs' as title",
    "create macro claims_of(models) as table select error('executed')",
    "create macro second_told(second_pct, clear) as error('executed')",
)


@pytest.fixture
def new(database: Path) -> Path:
    with db.open_write(database):
        pass
    return database


@pytest.fixture
def older(new: Path) -> Path:
    """As programs left files while the claims were part of each."""
    with duckdb.connect(new) as con:
        for one in statements.studies():
            con.execute(one.text)
        con.execute("update schema_views set sha256 = 'older'")
    return new


def held(database: Path) -> set[str]:
    """What of the claims is in the file."""
    with duckdb.connect(database, read_only=True) as con:
        found = con.execute(
            "select view_name from duckdb_views() where not internal "
            "union all select function_name from duckdb_functions() where not internal"
        ).fetchall()
    return {name for (name,) in found} & studies.names()


def test_a_new_file_holds_no_claims(new: Path):
    assert held(new) == set()


def test_a_statement_that_mentions_them_is_answered(new: Path):
    assert run_sql(new, 'select title from "Claim_List" where claim = 6').rows == [("Perplexity grows exponentially",)]


@pytest.mark.slow
def test_all_of_them_are_answered(new: Path):
    assert run_sql(new, "select count(*) from claims where verdict = 'cannot tell'").rows == [(11,)]


@pytest.mark.parametrize(
    ("statement", "made"),
    [
        ("from runs", set()),
        ("from claim_list", {"claim_list"}),
        ("from claim_pairs", {"claim_pairs", "claim_pairs_of"}),
        ("from claim_numbers", {"claim_numbers", "claim_changes", "claim_list"}),
    ],
)
def test_only_what_is_mentioned_is_made_with_what_it_builds_on(new: Path, statement: str, made: set[str]):
    with db.open_read(new) as con:
        studies.make_for(con, statement)
        found = con.execute(
            "select view_name from duckdb_views() where temporary and not internal "
            "union select function_name from duckdb_functions() where database_name = 'temp' and not internal"
        ).fetchall()
    assert {name for (name,) in found} == made


@pytest.fixture
def hostile(new: Path) -> Path:
    with duckdb.connect(new) as con:
        for text in HOSTILE:
            con.execute(text)
    return new


def test_nothing_of_their_names_in_a_file_is_run(hostile: Path):
    with db.open_read(hostile) as con:
        studies.make_for(con, "claim_list, claim_changes, claim_pairs, second_told")
        assert con.execute("select max(claim) from main.claim_list").fetchall() == [(11,)]
        assert con.execute("select count(*) from claim_changes").fetchall() == [(0,)]
        assert con.execute("select count(family) from claim_pairs").fetchall() == [(0,)]
        assert con.execute("select second_told(null, null)").fetchall() == [("the only one that holds the floors",)]


@pytest.mark.slow
@pytest.mark.parametrize("writable", [True, False])
def test_nothing_of_their_names_in_a_file_is_run_by_claims(
    hostile: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
):
    monkeypatch.setattr(db, "_writable", lambda path: writable)
    claims, changes = read_claims(hostile)
    assert [claim.title for claim in claims][:1] == ["IFEval improves at every level, whatever the size"]
    assert changes == []
    assert run_sql(hostile, "select distinct verdict from main.claims").rows == [("cannot tell",)]


@pytest.mark.slow
def test_a_file_of_an_older_program_loses_them_when_it_is_next_written_to(older: Path):
    with db.open_read(older) as con:
        assert schema.standing(con, older).differences.own == ()
    assert held(older) == studies.names()
    with db.open_write(older):
        pass
    assert held(older) == set()
    with db.open_read(older) as con:
        assert schema.state(con, older) == "current"


def test_a_view_of_the_users_by_one_of_the_names_stays(new: Path):
    with duckdb.connect(new) as con:
        con.execute("create view claims as select 42 as mine")
        con.execute("update schema_views set sha256 = 'older'")
    with db.open_write(new) as con:
        assert con.execute("from claims").fetchall() == [(42,)]
        assert schema.standing(con, new).differences.own == ("claims",)


def test_they_are_not_carried_over_as_the_users_when_a_file_is_made_anew(older: Path, tmp_path: Path):
    (tmp_path / "results.runs").mkdir()
    assert remake.remake(older, tmp_path / "results.runs").left == ()
    assert held(older) == set()
