from __future__ import annotations

import pytest
from template import copied

from warehouse.errors import UserError
from warehouse.read import runs


def test_runs_are_listed_newest_first(new_run, merged, database):
    for run_id, t in (("r1", 0), ("r2", 60)):
        run = new_run(run_id)
        run.start(t=t)
        run.cell("0", "piqa", 0.5, t=t)
        merged(run)
    found = runs.list_runs(database)
    assert [(run.run_id, run.model, run.method, run.state, run.cells_done) for run in found] == [
        ("r2", "org/Tiny", "maw", "started", 1),
        ("r1", "org/Tiny", "maw", "started", 1),
    ]
    assert found[0].created_at > found[1].created_at


def test_a_run_tells_the_levels_it_began_in_their_order(database, study):
    copied(study, database)
    levels = {(run.name, tuple(run.levels)) for run in runs.list_runs(database)}
    assert ("published scores of Llama-3.2-1B-Instruct", ("0", "10", "40", "60")) in levels
    assert ("published scores of Llama-3.2-3B", ("0", "10", "20", "30", "40", "50", "60")) in levels


def test_models_are_told_apart_by_name_and_weights(new_run, merged, database):
    for i, (model, weights) in enumerate([("a", "1"), ("a", "1"), ("a", "2"), ("b", None)]):
        run = new_run(f"r{i}")
        run.start(model=model, weights=weights)
        merged(run)
    found = runs.list_models(database)
    assert sorted((model.model, model.weights_hash, model.runs) for model in found[:2]) == [
        ("a", "1", 2),
        ("a", "2", 1),
    ]
    assert (found[2].model, found[2].origins) == ("b", ["run"])


def test_a_missing_database_is_told(database):
    with pytest.raises(UserError, match="no database"):
        runs.list_runs(database)
