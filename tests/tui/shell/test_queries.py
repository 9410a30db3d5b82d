"""The questions that screens ask: the same answers as the warehouse's views, and as the SQL that is shown for them."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cases import one_in
from template import copied

from tui.results.plots import kept_plot
from tui.shell.queries import CancelledError, Question, Reader, choices, chosen, literal
from warehouse.errors import DatabaseBusyError, UserError
from warehouse.read.grid import Entry, results
from warehouse.read.subjects import Subject
from warehouse.store import statements

CHOSEN = [
    ("matrix_rows", {}),
    ("matrix_levels", {}),
    ("matrix_improvements", {}),
    ("matrix_matched", {"basis": "percentage"}),
    ("matrix_matched", {"basis": "expansion ratio"}),
    ("matrix_tests", {"basis": "percentage"}),
    ("matrix_tests", {"basis": "expansion ratio"}),
    ("plot_points", {"task": "mmlu", "num_fewshot": 5}),
]


def ask(database: Path, *questions: Question) -> list[list[dict[str, Any]]]:
    reader = Reader(database)
    return [list(map(facts, rows)) for rows in reader.ask("test", reader.turn("test"), *questions)]


def facts(row: Any) -> dict[str, Any]:
    """A row under the names of its query's columns."""
    return row.facts() if isinstance(row, Entry) else row if isinstance(row, dict) else asdict(row)


@pytest.fixture(scope="module")
def subjects(study: Path) -> list[str]:
    [rows] = ask(study, choices())
    return [Subject(**row).key for row in rows]


def views(database: Path, sql: str) -> set[tuple]:
    with duckdb.connect(database, read_only=True) as con:
        return set(con.execute(sql).fetchall())


def test_the_choices_are_models_with_method_and_conditions(study: Path):
    [rows] = ask(study, choices())
    assert [(r["model"], r["method"], r["conditions"], r["levels"]) for r in rows] == [
        ("meta-llama/Llama-3.2-1B", "maw", "all documents, NVIDIA L4", 6),
        ("meta-llama/Llama-3.2-1B-Instruct", "maw", "all documents, NVIDIA L4", 3),
        ("meta-llama/Llama-3.2-3B", "maw", "all documents, NVIDIA L4", 6),
    ]


def test_the_matrix_has_the_rows_of_the_views(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_rows", subjects))
    mine = {
        tuple(r[name] for name in ("model", "pruning_pct", "task", "metric", "filter", "value", "delta", "delta_pct",
                                   "improved", "delta_stderr", "baseline_run_id", "verdict", "p_holm", "ci_low",
                                   "ci_high", "agreement", "chance", "retained_pct", "stderr"))
        for r in rows if not r["unpruned"]
    }  # fmt: skip
    theirs = views(
        study,
        "select model, pruning_pct, task, metric, filter, value, delta, delta_pct, improved, stderr, baseline_run_id, "
        "verdict, p_holm, ci_low, ci_high, agreement, chance, retained_pct, value_stderr "
        "from delta_statistics where is_headline",
    )
    assert mine == theirs
    assert len(mine) == 13 * 6 * 2 + 7 * 3
    full = {(r["model"], r["task"], r["metric"], r["filter"], r["value"]) for r in rows if r["unpruned"]}
    assert full == views(study, "select model, task, metric, filter, value from headline_metrics where unpruned")


def test_the_levels_are_those_of_the_view_and_the_full_width(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_levels", subjects))
    names = "model, pruning_pct, parameters, parameters_pct, retained_pct, benchmarks, improved, worst_benchmark"
    mine = {
        tuple(round(v, 9) if isinstance(v, float) else v for v in (row[name] for name in names.split(", ")))
        for row in rows
        if not row["unpruned"]
    }
    theirs = {
        tuple(round(v, 9) if isinstance(v, float) else v for v in row)
        for row in views(study, f"select {names} from level_scores")
    }
    assert mine == theirs
    assert all(row["retained_pct"] == 100 and row["parameters_pct"] == 100 for row in rows if row["unpruned"])


@pytest.fixture
def at_two_shots(study: Path, tmp_path: Path) -> Path:
    """The study, its MMLU measured with five more shots, too, and half as good."""
    database = tmp_path / "results.duckdb"
    copied(study, database)
    with duckdb.connect(database) as con:
        con.execute(
            "insert into metrics select * replace (num_fewshot + 5 as num_fewshot, "
            "case when level = '0' then value else value / 2 end as value) from metrics where task = 'mmlu'"
        )
    return database


@pytest.mark.slow
def test_a_benchmark_with_two_numbers_of_shots_counts_once(at_two_shots: Path, subjects: list[str]):
    levels, rows = ask(at_two_shots, chosen("matrix_levels", subjects), chosen("matrix_rows", subjects))
    mine = {(row["model"], row["pruning_pct"], row["benchmarks"], round(row["retained_pct"], 9)) for row in levels}
    theirs = views(at_two_shots, "select model, pruning_pct, benchmarks, round(retained_pct, 9) from level_scores")
    assert {row for row in mine if row[1] > 0} == theirs
    drawn = kept_plot(results(map(Entry.of, rows)), dark=True, across="level")
    assert {round(point.y, 9) for series in drawn.series for point in series.points} == {row[3] for row in mine}


def test_the_improvements_are_those_of_the_view(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_improvements", subjects))
    names = "model, benchmark, metric, levels, baseline, smallest_delta_pct, largest_delta_pct, largest_at_pct"
    mine = {tuple(row[name] for name in names.split(", ")) for row in rows}
    assert mine == views(study, f"select {names} from consistent_improvements")
    ifeval = next(row for row in rows if row["model"].endswith("-1B") and row["benchmark"] == "IFEval")
    assert (ifeval["clear"], ifeval["tested"]) == (1, 6)


@pytest.mark.parametrize("basis", ["percentage", "expansion ratio"])
def test_matched_widths_are_those_that_size_comparison_pairs(study: Path, subjects: list[str], basis: str):
    [rows] = ask(study, chosen("matrix_matched", subjects, basis=basis))
    # Base models meet base models there; who chooses an instruct model here has asked for it.
    mine = {(r["basis_value"], r["task"], r["model"], r["value"]) for r in rows if "Instruct" not in r["model"]}
    paired = views(
        study,
        "select basis_value, task, unnest([smaller, larger]), unnest([smaller_value, larger_value]) "
        f"from size_comparison where basis = '{basis}'",
    )
    assert paired <= mine
    alone = {row[:2] for row in mine - paired}  # benchmarks that only one of the models at that width was measured on
    assert not alone & {row[:2] for row in paired}


def test_the_published_ratios_in_common_are_four(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_matched", subjects, basis="expansion ratio"))
    assert {row["basis_value"] for row in rows} == {4.0, 3.6, 2.4, 1.6}
    [best] = [r for r in rows if r["basis_value"] == 2.4 and r["task"] == "wikitext" and r["rank"] == 1]
    assert (best["model"], best["value"]) == ("meta-llama/Llama-3.2-3B", 11.8759)  # lower is better there


@pytest.mark.slow
def test_which_of_two_loses_more_is_told_as_size_tests_tells_it(study: Path, subjects: list[str]):
    for basis in ("percentage", "expansion ratio"):
        [rows] = ask(study, chosen("matrix_tests", subjects, basis=basis))
        names = ("basis_value", "task", "first_model", "second_model", "difference", "stderr", "p_holm")
        words = {"first": "larger", "second": "smaller"}  # who loses more, and who is better off
        mine = {
            (*(_rounded(row[name]) for name in names), words.get(row["loses_more"], row["loses_more"])) for row in rows
        }
        theirs = views(
            study,
            "select basis_value, task, smaller, larger, difference, stderr, p_holm, better_off "
            "from size_tests_of((select list(distinct model_id) from run_models)) "
            f"where basis = '{basis}' and measure = 'percent'",
        )
        assert mine == {tuple(_rounded(value) for value in row) for row in theirs}
        assert {row[-1] for row in mine} >= {"noise", "larger", None}


def _rounded(value: object) -> object:
    return round(value, 9) if isinstance(value, float) else value


@pytest.mark.slow
def test_the_best_levels_are_those_of_the_view(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_best", subjects))
    mine = {(row["model"], row["pruning_pct"], row["why"]) for row in rows}
    assert mine == views(study, "select model, pruning_pct, why from best_levels where in_use")


@pytest.mark.slow
def test_what_several_questions_build_on_is_answered_once(study: Path, subjects: list[str]):
    questions = [chosen(name, subjects, basis="percentage") for name in ("matrix_matched", "matrix_levels")]
    together = ask(study, *questions)
    assert together == [ask(study, question)[0] for question in questions]
    assert "from matrix_rows" in questions[0].statement(made=["matrix_rows"])
    assert "delta_statistics" not in questions[0].statement(made=["matrix_rows"])


def test_a_metric_that_was_picked_takes_the_headline_ones_place(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_rows", subjects, picked=["piqa|acc_norm|none"]))
    assert {row["metric"] for row in rows if row["task"] == "piqa"} == {"acc_norm"}
    assert {row["metric"] for row in rows if row["task"] == "arc_challenge"} == {"acc_norm"}
    assert {row["metric"] for row in rows if row["task"] == "boolq"} == {"acc"}


def test_a_search_leaves_the_benchmarks_that_have_it_in_their_names(study: Path, subjects: list[str]):
    [rows] = ask(study, chosen("matrix_rows", subjects, search="Truthful"))
    assert {row["task"] for row in rows} == {"truthfulqa_mc1", "truthfulqa_mc2"}


def test_the_metrics_of_a_benchmark_begin_with_its_headline(study: Path, subjects: list[str]):
    models = [one.partition("|")[0] for one in subjects]
    [rows] = ask(study, Question("matrix_metrics", {"task": "gsm8k", "model_ids": models}))
    assert [(r["metric"], r["filter"], r["with_stderr"]) for r in rows] == [
        ("exact_match", "flexible-extract", True),
        ("exact_match", "strict-match", True),
    ]


@pytest.mark.parametrize(("name", "more"), one_in(3, CHOSEN), ids=lambda value: str(value))
def test_the_sql_that_is_shown_gives_the_same_rows_in_the_same_order(
    study: Path, subjects: list[str], name: str, more: dict
):
    question = chosen(name, subjects, **more)
    [rows] = ask(study, question)
    with duckdb.connect(study, read_only=True) as con:
        cursor = con.execute(question.sql())
        names = [column[0] for column in cursor.description]
        assert cursor.fetchall() == [tuple(row[name] for name in names) for row in rows]
    assert rows


def test_literals_are_sql_whatever_is_in_them():
    values = [None, True, 3, 2.5, "it's", ["a", "b'c"], []]
    with duckdb.connect() as con:
        assert [con.execute(f"select {literal(value)}").fetchall()[0][0] for value in values] == values


def test_a_question_that_takes_too_long_is_a_sentence(study: Path, monkeypatch: pytest.MonkeyPatch):
    query = statements.query
    slow = {"screen_limit": "set max_execution_time = 100", "runs": "select sum(range) from range(1000000000000)"}
    monkeypatch.setattr(statements, "query", lambda name: slow.get(name) or query(name))
    with pytest.raises(UserError, match="too large for this screen"):
        ask(study, Question("runs"))


def test_a_missing_database_is_a_sentence(tmp_path: Path):
    with pytest.raises(UserError, match="There is no database"):
        ask(tmp_path / "none.duckdb", choices())


def test_a_database_held_elsewhere_names_the_holder(study: Path, tmp_path: Path):
    database = tmp_path / "held.duckdb"
    script = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(DatabaseBusyError, match=rf"held open by .*\(PID {holder.pid}\)"):
            ask(database, choices())
        holder.communicate("")


def test_a_newer_turn_stops_an_older_question(study: Path, monkeypatch: pytest.MonkeyPatch):
    endless = "select sum(a.range * b.range) from range(100000000) a, range(100000000) b"
    monkeypatch.setattr(Question, "statement", lambda self, made=(): endless)
    reader = Reader(study)
    turn = reader.turn("matrix")
    threading.Timer(0.3, lambda: reader.turn("matrix")).start()
    with pytest.raises(CancelledError):
        reader.ask("matrix", turn, choices())
    with pytest.raises(CancelledError):
        reader.ask("matrix", turn, choices())
