"""What a screen asks of its models costs no more because others are in the file: counted in rows, not in seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from template import copied

from tui.shell.queries import Question, chosen
from warehouse.store import db, studies

pytestmark = pytest.mark.slow

OTHER_RUNS = Path(__file__).with_name("other_runs.sql")
WIDTHS = 40  # of each of the other runs
METRICS = 800


@pytest.fixture
def database(tmp_path: Path, study: Path) -> Path:
    database = tmp_path / "results.duckdb"
    copied(study, database)
    return database


def test_the_matrix_passes_over_the_widths_of_other_models(database: Path):
    model = known_model(database)
    before = worked_on(database, matrix(model), "HASH_GROUP_BY", "WINDOW")
    add_runs(database, model | {"model_id": "other", "model": "other/model"}, runs=20)
    more = worked_on(database, matrix(model), "HASH_GROUP_BY", "WINDOW") - before
    assert more < 20 * WIDTHS


def test_the_matrix_looks_for_the_headlines_of_its_own_method_alone(database: Path):
    model = known_model(database)
    before = worked_on(database, matrix(model), "WINDOW")
    add_runs(database, model | {"method": "vow"}, runs=1)
    more = worked_on(database, matrix(model), "WINDOW") - before
    # Each run's own baseline is looked for before the method is known: one window, not the dozen that follow.
    assert more < 3 * METRICS


@pytest.mark.parametrize("name", ["claims", "claim_findings", "claim_numbers"])
def test_the_claims_of_a_model_pass_over_the_widths_of_other_models(database: Path, name: str):
    model = known_model(database)
    asked = Question(name, {"models": [model["model_id"]]})
    before = worked_on(database, asked, "HASH_GROUP_BY", "WINDOW")
    add_runs(database, model | {"model_id": "other", "model": "other/model"}, runs=20)
    assert worked_on(database, asked, "HASH_GROUP_BY", "WINDOW") - before < 20 * WIDTHS
    assert worked_on(database, Question(name, {"models": None}), "HASH_GROUP_BY", "WINDOW") - before > 20 * METRICS


def test_the_matrix_passes_over_runs_under_other_conditions(database: Path):
    model = known_model(database)
    grouped, windowed = (worked_on(database, matrix(model), name) for name in ("HASH_GROUP_BY", "WINDOW"))
    add_runs(database, model | {"conditions": "first 60 documents"}, runs=1)
    # The text that a method was calibrated on is a part of the conditions, and is known once the latest values are: two
    # groupings, and none of the windows that follow.
    assert worked_on(database, matrix(model), "HASH_GROUP_BY") - grouped < 3 * METRICS
    assert worked_on(database, matrix(model), "WINDOW") - windowed < METRICS


def known_model(database: Path) -> dict[str, Any]:
    with db.open_read(database) as con:
        parts = "model_id, model, method, repair, conditions"
        cursor = con.execute(f"select distinct {parts} from baseline_deltas order by all")
        names = [column[0] for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchall()[0], strict=True))


def matrix(model: dict[str, Any]) -> Question:
    return chosen("matrix_rows", ["|".join(model[part] for part in ("model_id", "method", "repair", "conditions"))])


def add_runs(database: Path, about: dict[str, Any], *, runs: int) -> None:
    with duckdb.connect(database) as con:
        for step in con.extract_statements(OTHER_RUNS.read_text(encoding="utf-8")):
            con.execute(step, {name: (about | {"runs": runs})[name] for name in step.named_parameters})


def worked_on(database: Path, question: Question, *operators: str) -> int:
    """The rows that came out of these operators, all of a plan together."""
    with db.open_read(database) as con:
        studies.make_for(con, question.statement())
        statement = f"explain (analyze, format json) {question.statement()}"
        [(_, told)] = con.execute(statement, question.bound()).fetchall()
    return sum(
        operator["intermediate_rows"]
        for operator in below(json.loads(told)["operator"])
        if operator["name"] in operators
    )


def below(operators: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for operator in operators:
        yield operator
        yield from below(operator.get("children", []))
