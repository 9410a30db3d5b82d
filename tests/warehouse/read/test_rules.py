"""Which level is best under which rule. Widths are 100, 80 and 60 neurons: 0, 20 and 40 %."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from cases import one_in
from template import copied

from warehouse.errors import DatabaseBusyError, UserError
from warehouse.read import rules
from warehouse.read.rules import Floor, Rule
from warehouse.store import db

FIRST_RELEASE = Path(__file__).parents[1].joinpath("schema_0001.duckdb.gz")
BEST = "select model, pruning_pct from best_levels where rule = '{}' order by model"
MINE = Rule("mine", "", "score", "share", {"piqa": 1})


@pytest.fixture(scope="module")
def published(study, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("published") / "results.duckdb"
    copied(study, path)
    return path


@pytest.fixture
def measure(new_run, merged, metric):
    """Merges a run with these scores of 0, 20 and 40 %; None is not measured."""

    def write(scores: dict[str, tuple[float | None, ...]], stderr: float | None = None) -> None:
        run = new_run("r1")
        run.start()
        for task, values in scores.items():
            name = "word_perplexity" if task == "wikitext" else "acc"
            for level, value in zip(("0", "20", "40"), values, strict=True):
                if value is not None:
                    run.cell(level, task, metrics=[metric(name, value, stderr=stderr)])
        merged(run)

    return write


@pytest.fixture
def best(database, ask):
    """The best level under a rule and why, of a database with one model."""

    def found(rule: Rule) -> tuple:
        saved = rules.save_rule(database, rule)
        ((pct, score, why),) = ask(f"select pruning_pct, score, why from best_levels where rule = '{saved.name}'")
        return pct, score, why

    return found


@pytest.mark.slow
def test_the_studys_rule_gives_what_the_study_recommends(published):
    """Observation 6: 40 % for the 1B, 10 % for the 3B."""
    with db.open_read(published) as con:
        rows = con.execute(BEST.format("study")).fetchall()
        assert [row for row in rows if "Instruct" not in row[0]] == [
            ("meta-llama/Llama-3.2-1B", 40.0), ("meta-llama/Llama-3.2-3B", 10.0),
        ]  # fmt: skip
        ((score,),) = con.execute(
            "select score from best_levels where rule = 'study' and model = 'meta-llama/Llama-3.2-1B'"
        ).fetchall()
        ((why,),) = con.execute(
            "select why from best_levels where rule = 'study' and model = 'meta-llama/Llama-3.2-3B'"
        ).fetchall()
    points = (0.2689 - 0.3111, 0.1516 - 0.1035, 0.4286 - 0.3399, 0.4298 - 0.3772)
    assert score == pytest.approx(100 * sum(points) / 4, abs=1e-3)
    assert "Ruled out: 20 %: MMLU keeps 51.9 % of its score (at least 75)." in why


def test_the_rule_that_files_begin_with_is_the_mean_of_what_is_left(published):
    with db.open_read(published) as con:
        rows = con.execute("select model, pruning_pct, score, retained_pct from best_level order by 1").fetchall()
        ranked = con.execute(
            "select arg_max(pruning_pct, retained_pct), max(retained_pct) from level_scores "
            "group by model order by model"
        ).fetchall()
    assert [(pct, score) for _, pct, score, _ in rows] == [(pct, pytest.approx(kept)) for pct, kept in ranked]
    assert all(score == pytest.approx(retained) for *_, score, retained in rows)


@pytest.mark.slow
def test_the_narrowest_preset_says_what_stands_in_the_way(published):
    with db.open_read(published) as con:
        rows = con.execute(
            "select pruning_pct, why from best_levels where rule = 'narrowest' order by model"
        ).fetchall()
        held = con.execute("from best_level").fetchall()
    assert {pct for pct, _ in rows} == {None}
    assert rows[0][1].startswith("No level holds the floors. 10 %: MMLU keeps 1.8 % from chance (at least 75); ")
    assert "LAMBADA is ×3.58 (at most 2)" in rows[0][1]
    assert len(held) == 3


@pytest.mark.slow
def test_weights_are_weights(measure, best):
    measure({"piqa": (0.5, 0.4, 0.5), "boolq": (0.5, 0.5, 0.3)})
    assert best(replace(MINE, weights={"piqa": 3, "boolq": 1}))[:2] == (40.0, pytest.approx((3 * 100 + 60) / 4))
    assert best(replace(MINE, weights={"piqa": 1, "boolq": 1}))[:2] == (20.0, pytest.approx(90))


@pytest.mark.slow
def test_a_benchmark_named_counts_before_its_group_and_its_group_before_all(measure, best):
    measure({"piqa": (0.5, 0.4, 0.4), "boolq": (0.5, 0.3, 0.3), "wikitext": (10.0, 20.0, 20.0)})
    rule = replace(MINE, weights={"*": 1, "scores": 2, "PIQA": 5})
    assert best(rule)[1] == pytest.approx((5 * 80 + 2 * 60 + 1 * 50) / 8)
    assert best(replace(MINE, weights={"*": 1, "perplexities": 0}))[1] == pytest.approx(70)


@pytest.mark.slow
def test_points_and_from_chance_measure_what_they_say(measure, best):
    measure({"piqa": (0.7, 0.65, 0.6), "boolq": (0.9, 0.7, 0.9)}, 0.01)
    points = replace(MINE, measure="points", weights={"piqa": 1, "boolq": 1})
    assert best(points)[:2] == (40.0, pytest.approx(-5.0))
    assert best(replace(points, measure="from chance"))[:2] == (40.0, pytest.approx((50 + 100) / 2))


@pytest.mark.parametrize(
    ("floor", "said"),
    one_in(
        3,
        [
            (Floor("piqa", "share", at_least=90), "PIQA keeps 85.7 % of its score (at least 90)"),
            (Floor("piqa", "from chance", at_least=60), "PIQA keeps 50.0 % from chance (at least 60)"),
            (Floor("piqa", "value", at_least=0.65), "PIQA is 0.6 (at least 0.65)"),
            (Floor("wikitext", "growth", at_most=2), "WikiText is ×3.00 (at most 2)"),
            (Floor("perplexities", "growth", at_most=2), "WikiText is ×3.00 (at most 2)"),
            (Floor("*", "share", at_least=80), "WikiText keeps 33.3 % of its score (at least 80)"),
        ],
    ),
)
def test_a_floor_rules_out_the_level_that_does_not_hold_it(measure, best, floor, said):
    measure({"piqa": (0.7, 0.69, 0.6), "wikitext": (10.0, 11.0, 30.0), "boolq": (0.6, 0.5, 0.6)}, 0.01)
    rule = replace(MINE, weights={"boolq": 1}, floors=(floor,))
    pct, score, why = best(rule)
    assert (pct, score) == (20.0, pytest.approx(100 * 0.5 / 0.6))
    assert "The only level that can be called best. Ruled out: 40 %: " in why
    assert said in why


def test_the_narrowest_level_that_holds_the_floors(measure, best):
    measure({"piqa": (0.7, 0.69, 0.66)})
    rule = replace(MINE, prefer="narrowest", floors=(Floor("piqa", "share", at_least=90),))
    assert best(rule) == (40.0, pytest.approx(100 * 0.66 / 0.7), "Narrowest of 2 levels that hold the floors.")


@pytest.mark.slow
def test_what_a_rule_needs_and_a_level_lacks_is_said(measure, best):
    measure({"piqa": (0.7, 0.6, 0.6), "boolq": (0.7, 0.6, None)})
    pct, _, why = best(replace(MINE, weights={"piqa": 1, "boolq": 1}))
    assert (pct, why) == (20.0, "The only level that can be called best. Ruled out: 40 %: BoolQ was not measured.")
    pct, score, why = best(replace(MINE, weights={"mmlu": 1}))
    assert (pct, score) == (None, None)
    assert why.startswith("Cannot tell, ")
    assert "20 %: MMLU was not measured" in why
    assert "PIQA has no known chance level" not in why


def test_a_floor_over_a_group_is_not_held_by_measuring_nothing(measure, best):
    measure({"piqa": (0.7, 0.6, 0.6)})
    pct, _, why = best(replace(MINE, floors=(Floor("perplexities", "growth", at_most=2),)))
    assert pct is None
    assert "nothing to hold the floor of perplexities against" in why


@pytest.mark.slow
def test_fewer_of_a_groups_benchmarks_do_not_win_by_what_is_left_out(measure, best):
    measure({"piqa": (0.5, 0.4, 0.5), "boolq": (0.5, 0.3, None)})
    pct, _, why = best(replace(MINE, weights={"*": 1}))
    assert pct == 20.0
    assert "40 %: 1 of 2 benchmarks measured" in why


@pytest.mark.parametrize(
    ("stderr", "said"),
    [(None, "within noise"), (0.001, "clearly less"), pytest.param(0.1, "within noise", marks=pytest.mark.slow)],
)
def test_the_second_level_is_told_with_the_noise(measure, best, stderr, said):
    """Without a reported error, that of a share of ten questions."""
    measure({"piqa": (0.7, 0.65, 0.6)}, stderr)
    assert best(MINE)[2] == f"Highest score of 2 levels; second: 40 % with 85.7 %, {said}."


def test_the_noise_is_not_known_where_no_error_is(measure, best):
    measure({"wikitext": (10.0, 12.5, 20.0)})
    said = "Highest score of 2 levels; second: 40 % with 50.0 %, noise not known."
    assert best(replace(MINE, weights={"wikitext": 1}))[2] == said


def test_the_scores_error_is_that_of_the_ratio(measure, database, ask):
    measure({"piqa": (0.8, 0.6, 0.5), "boolq": (0.5, 0.5, 0.5)}, 0.02)
    rules.save_rule(database, replace(MINE, weights={"piqa": 1, "boolq": 3}))
    piqa = 75 * ((0.02 / 0.6) ** 2 + (0.02 / 0.8) ** 2) ** 0.5
    boolq = 100 * ((0.02 / 0.5) ** 2 * 2) ** 0.5
    assert ask("select score_stderr from rule_levels where rule = 'mine' and pruning_pct = 20") == [
        (pytest.approx((piqa**2 + 9 * boolq**2) ** 0.5 / 4),)
    ]


@pytest.fixture
def at_two_shots(new_run, merged, metric):
    """PIQA with 0 and 5 shots, BoolQ with 0, all of 0.02; at 20 % PIQA keeps 90 and 50 %, BoolQ 40 %."""

    def write(*, left_out: tuple[str, int] | None = None) -> None:
        run = new_run("r1")
        run.start()
        scores = {
            ("piqa", 0): (0.5, 0.45, 0.5), ("piqa", 5): (0.8, 0.4, 0.4), ("boolq", 0): (0.5, 0.2, 0.1),
        }  # fmt: skip
        for (task, shots), values in scores.items():
            for level, value in zip(("0", "20", "40"), values, strict=True):
                if (level, shots) != left_out:
                    run.cell(level, task, metrics=[metric("acc", value, stderr=0.02)], num_fewshot=shots)
        merged(run)

    return write


def test_numbers_of_shots_share_their_benchmarks_weight(at_two_shots, database, ask):
    at_two_shots()
    rules.save_rule(database, replace(MINE, weights={"piqa": 2, "boolq": 1}))
    at_zero = 90 * ((0.02 / 0.45) ** 2 + (0.02 / 0.5) ** 2) ** 0.5
    at_five = 50 * ((0.02 / 0.4) ** 2 + (0.02 / 0.8) ** 2) ** 0.5
    boolq = 40 * ((0.02 / 0.2) ** 2 + (0.02 / 0.5) ** 2) ** 0.5
    assert ask(
        "select score, counted, score_stderr, retained_pct, benchmarks from rule_levels "
        "where rule = 'mine' and pruning_pct = 20"
    ) == [
        (
            pytest.approx((2 * 70 + 40) / 3),
            2,
            pytest.approx(((at_zero + at_five) ** 2 + boolq**2) ** 0.5 / 3),
            pytest.approx((70 + 40) / 2),
            2,
        )
    ]


def test_a_floor_holds_for_each_number_of_shots(at_two_shots, best):
    at_two_shots()
    pct, _, why = best(replace(MINE, floors=(Floor("piqa", "share", at_least=60),)))
    assert pct is None
    assert "20 %: PIQA (5-shot) keeps 50.0 % of its score (at least 60)" in why


@pytest.mark.slow
def test_a_level_without_one_of_the_numbers_of_shots_cannot_win_by_it(at_two_shots, best):
    at_two_shots(left_out=("40", 5))
    pct, score, why = best(replace(MINE, weights={"piqa": 1}))
    assert (pct, score) == (20.0, pytest.approx(70.0))
    assert "40 %: 1 of 2 measurements of its benchmarks" in why


@pytest.mark.slow
def test_a_new_version_counts_and_the_old_one_stays(measure, database, ask):
    measure({"piqa": (0.5, 0.4, 0.5), "boolq": (0.5, 0.5, 0.3)})
    rules.save_rule(database, MINE)
    saved = rules.save_rule(database, replace(MINE, weights={"boolq": 1}))
    assert (saved.version, saved.preset, dict(saved.weights)) == (2, False, {"boolq": 1.0})
    assert ask("select pruning_pct from best_levels where rule = 'mine'") == [(20.0,)]
    assert ask("select version, benchmark from rule_weights where rule = 'mine' order by 1") == [
        (1, "piqa"), (2, "boolq"),
    ]  # fmt: skip


@pytest.mark.slow
def test_best_level_follows_the_rule_in_use(measure, database, ask):
    measure({"piqa": (0.5, 0.4, 0.5), "boolq": (0.5, 0.5, 0.3)})
    assert ask("select rule, pruning_pct from best_level") == [("keeps-most", 20.0)]
    rules.save_rule(database, MINE)
    rules.use_rule(database, "mine")
    assert ask("select rule, pruning_pct from best_level") == [("mine", 40.0)]
    assert rules.read_rules(database)[0].name == "mine"
    assert rules.delete_rule(database, "mine") is None
    assert ask("select rule, pruning_pct from best_level") == [("keeps-most", 20.0)]
    with pytest.raises(UserError, match="There is no rule 'mine': there is keeps-most, narrowest, study"):
        rules.use_rule(database, "mine")


def test_a_rule_changed_in_sql_counts_at_once(measure, database, ask):
    measure({"piqa": (0.5, 0.4, 0.5), "boolq": (0.5, 0.5, 0.3)})
    rules.save_rule(database, MINE)
    with duckdb.connect(database) as con:
        con.execute("update rule_weights set benchmark = 'boolq' where rule = 'mine'")
    assert ask("select pruning_pct from best_levels where rule = 'mine'") == [(20.0,)]


def test_a_preset_stays_and_can_be_had_back(database):
    with db.open_write(database):
        pass
    with pytest.raises(UserError, match="ships with prune-tui and stays"):
        rules.delete_rule(database, "study")
    shipped = rules.read_rule(database, "study")
    rules.save_rule(database, replace(shipped, floors=(Floor("mmlu", "share", at_least=50),)))
    assert rules.read_rule(database, "study").floors[0].at_least == 50
    restored = rules.delete_rule(database, "study")
    assert restored == replace(shipped, version=3)


@pytest.mark.slow
def test_a_rule_deleted_while_in_use_and_saved_again_waits_to_be_used(database):
    with db.open_write(database):
        pass
    rules.save_rule(database, MINE)
    rules.use_rule(database, MINE.name)
    rules.delete_rule(database, MINE.name)
    assert not rules.save_rule(database, MINE).in_use
    assert rules.read_rule(database, "keeps-most").in_use


def test_a_rule_survives_its_text(database):
    with db.open_write(database):
        pass
    for rule in rules.read_rules(database):
        told = rules.from_toml(rules.to_toml(rule))
        assert replace(told, preset=True, version=1, in_use=rule.in_use) == rule
    odd = replace(
        MINE,
        description='a "quoted" \\ word \x1b[31m',
        weights={"*": 1234567.8},
        floors=(Floor("a.b", "value", 0.2501564, 2),),
    )
    assert rules.from_toml(rules.to_toml(odd)) == odd


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name =", "This is not TOML"),
        ("weights = { mmlu = 1 }", "A rule needs a name"),
        ('name = "A B"\n[weights]\nmmlu = 1', "A rule needs a name"),
        ('name = "a"\nfloor = 1', "A rule has no 'floor': it has name, "),
        ('name = "a"', "needs a weight above 0"),
        ('name = "a"\n[weights]\nmmlu = -1', "The weight of mmlu is -1: it must be 0 or more."),
        ('name = "a"\n[weights]\nmmlu = "much"', "The weight of mmlu is 'much': it must be a number."),
        ('name = "a"\n[weights]\nmmlu = nan', "it must be a number"),
        ('name = "a"\nmeasure = "feel"', "'feel' is no measure: it is share, from chance or points."),
        ('name = "a"\nprefer = "narrowest"', "needs a floor"),
        ('name = "a"\n[weights]\nmmlu = 1\n[floors]\nmmlu = 90', "The floors must be a table"),
        ('name = "a"\n[weights]\nmmlu = 1\n[floors]\nmmlu = { keeps = 90 }', "'keeps' is no floor: it is share, "),
        (
            'name = "a"\n[weights]\nmmlu = 1\n[floors]\nmmlu = { value_at_least = 2, value_at_most = 1 }',
            "No level can hold the floors of mmlu",
        ),
    ],
)
def test_a_text_that_is_no_rule_is_refused_in_a_sentence(text, said):
    with pytest.raises(UserError) as refused:
        rules.from_toml(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (replace(MINE, weights={"piqqa": 1}), "There is no benchmark 'piqqa': is it piqa?"),
        (replace(MINE, floors=(Floor("hella", "share", 1),)), "There is no benchmark 'hella': is it hellaswag?"),
        (replace(MINE, weights={"piqa": 1, "PIQA": 1}), "The benchmark piqa has two weights."),
        (replace(MINE, measure="points", weights={"wikitext": 1}), "wikitext cannot be weighed in points"),
    ],
)
def test_a_rule_about_what_is_not_known_is_refused_and_not_saved(database, rule, said):
    with pytest.raises(UserError) as refused:
        rules.save_rule(database, rule)
    assert said in str(refused.value)
    assert [one.name for one in rules.read_rules(database)] == ["keeps-most", "narrowest", "study"]


@pytest.mark.slow
def test_a_benchmark_of_ones_own_can_be_named_once_it_is_measured(measure, best):
    measure({"my_task": (0.5, 0.4, 0.45)})
    assert best(replace(MINE, weights={"my_task": 1}))[0] == 40.0


@pytest.mark.parametrize("change", [rules.use_rule, rules.delete_rule])
def test_a_database_that_is_not_there_is_not_made_by_choosing(database, change):
    with pytest.raises(UserError, match="There is no database"):
        change(database, "study")
    assert not database.exists()


def test_a_database_that_is_held_says_by_whom(database, held):
    with db.open_write(database):
        pass
    with held(database, "writing"), pytest.raises(DatabaseBusyError, match="is held open by"):
        rules.save_rule(database, MINE)


@pytest.mark.slow
def test_a_file_of_the_first_release_gets_the_presets_and_a_backup(database):
    database.write_bytes(gzip.decompress(FIRST_RELEASE.read_bytes()))
    assert [rule.name for rule in rules.read_rules(database)] == ["keeps-most", "narrowest", "study"]
    assert database.with_name("results.schema-1.backup.duckdb").exists()
    with db.open_read(database) as con:
        assert con.execute("select count(*) > 0 from best_level").fetchall() == [(True,)]
