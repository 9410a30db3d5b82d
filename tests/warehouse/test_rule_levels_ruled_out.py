"""rule_levels, on changes by hand: what keeps a level from being called best."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rule_rows import NAN, Levels, change, each, floor, rule

from warehouse.store import db


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Levels]:
    path = tmp_path_factory.mktemp("levels") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Levels(con)


def test_a_level_exactly_at_a_floor_holds_it(levels: Levels) -> None:
    share = rule("share", floor("piqa", "share", 80, 90), piqa=1)
    assert levels.broken(*each(share, *([change("piqa", value)] for value in (0.4, 0.45, 0.3995, 0.4505, NAN)))) == [
        None, None, "PIQA keeps 79.9 % of its score (at least 80)", "PIQA keeps 90.1 % of its score (at most 90)",
        "PIQA keeps 0.0 % of its score (at least 80)",
    ]  # fmt: skip


def test_floors_of_each_measure_are_told_in_its_words(levels: Levels) -> None:
    from_chance = rule("share", floor("piqa", "from chance", 50), piqa=1)
    value = rule("share", floor("piqa", "value", 0.25, 0.5), piqa=1)
    growth = rule("share", floor("wikitext", "growth", at_most=2), all_=1)
    assert levels.broken(
        *each(from_chance, *([change("piqa", 0.4, chance=0.25, retained_pct=kept)] for kept in (50.0, 49.9))),
        (from_chance, [change("piqa", NAN, chance=0.25, retained_pct=NAN)]),
        *each(value, *([change("piqa", one)] for one in (0.25, 0.5, 0.24996, 0.50006, NAN))),
        *each(growth, *([change("wikitext", one, 10.0)] for one in (20.0, 20.1, NAN))),
    ) == [
        None, "PIQA keeps 49.9 % from chance (at least 50)", "PIQA keeps 0.0 % from chance (at least 50)",
        None, None, "PIQA is 0.25 (at least 0.25)", "PIQA is 0.5001 (at most 0.5)", "PIQA is nan (at least 0.25)",
        None, "WikiText is ×2.01 (at most 2)", "WikiText is ×nan (at most 2)",
    ]  # fmt: skip


def test_a_floor_over_a_group_is_each_of_its_benchmarks(levels: Levels) -> None:
    case = [change("piqa", 0.3), change("boolq", 0.3), change("wikitext", 30.0, 10.0)]
    groups = [rule("share", floor(group, "share", 70), all_=1) for group in ("*", "scores", "perplexities")]
    scores = "BoolQ keeps 60.0 % of its score (at least 70); PIQA keeps 60.0 % of its score (at least 70)"
    wikitext = "WikiText keeps 33.3 % of its score (at least 70)"
    assert levels.broken(*((one, case) for one in groups)) == [f"{scores}; {wikitext}", scores, wikitext]


def test_a_benchmark_has_a_floor_by_either_of_its_names_and_several_measures(levels: Levels) -> None:
    floors = floor("PIQA", "share", 70), floor("piqa", "value", 0.4), floor("mmlu", "share", 1)
    (said,) = levels.broken((rule("share", *floors, piqa=1), [change("piqa", 0.3), change("mmlu", 0.5)]))
    assert said == "PIQA keeps 60.0 % of its score (at least 70); PIQA is 0.3 (at least 0.4)"


def test_a_floor_holds_for_each_number_of_shots(levels: Levels) -> None:
    shots = [change("piqa", value, num_fewshot=shots) for value, shots in ((0.3, 5), (0.2, 0), (0.45, 10))]
    versions = [change("piqa", 0.3, version=version) for version in ("2", "1")]
    said = levels.broken(*each(rule("share", floor("piqa", "share", 70), piqa=1), shots, versions))
    assert said == [
        "PIQA (0-shot) keeps 40.0 % of its score (at least 70); PIQA (5-shot) keeps 60.0 % of its score (at least 70)",
        "PIQA (version 1) keeps 60.0 % of its score (at least 70); "
        "PIQA (version 2) keeps 60.0 % of its score (at least 70)",
    ]


def test_what_a_rule_names_must_be_measured(levels: Levels) -> None:
    """In the order of tables, by their names; of one's own it is the task's, and a weight of zero names nothing."""
    case = [change("piqa", 0.4)]
    assert levels.missing(
        (rule(PIQA=1, boolq=0), case),
        (rule(piqa=1, boolq=1, mmlu=1), case),
        (rule("share", floor("mmlu", "share", 75), piqa=1), case),
        *each(rule(piqa=1, mine=1), case, [*case, change("mine", 0.4)]),
    ) == [None, "MMLU was not measured; BoolQ was not measured", "MMLU was not measured", "mine was not measured", None]


def test_what_a_rule_names_must_have_its_measure(levels: Levels) -> None:
    wikitext, zero, boolq = change("wikitext", 20.0, 10.0), change("piqa", 0.4, 0.0), change("boolq", 0.5)
    known, unknown = change("piqa", 0.4, chance=0.25), change("piqa", 0.4)
    whole = change("piqa", 0.4, chance=0.25, retained_pct=60.0)
    clear_of = "PIQA is not clear of {} unpruned".format
    assert levels.missing(
        (rule("points", wikitext=1), [wikitext]),
        *each(rule("from chance", piqa=1), [known], [unknown], [whole]),
        *each(rule("share", piqa=1), [zero], [whole]),
        *each(rule("points", piqa=1), [zero], [whole]),
        (rule("share", floor("piqa", "growth", at_most=2), boolq=1), [zero, boolq]),
        (rule("share", floor("piqa", "value", 0.1), boolq=1), [zero, boolq]),
        (rule("points", floor("piqa", "from chance", 10), boolq=1), [unknown, boolq]),
    ) == [
        "WikiText is a perplexity, which has no points",
        clear_of("chance"), "PIQA has no known chance level", None,
        clear_of("zero"), None,
        None, None,
        clear_of("zero"), None, "PIQA has no known chance level",
    ]  # fmt: skip


def test_of_several_shots_one_with_the_measure_is_enough(levels: Levels) -> None:
    shots = [change("piqa", 0.4, 0.0, num_fewshot=0), change("piqa", 0.4, num_fewshot=5)]
    chance = [change("piqa", 0.4, chance=chance, num_fewshot=shots) for shots, chance in ((0, 0.25), (5, None))]
    assert levels.missing((rule(piqa=1), shots), (rule("from chance", piqa=1), chance)) == [
        None, "PIQA is not clear of chance unpruned",
    ]  # fmt: skip


def test_a_floor_of_a_group_must_have_something_to_hold(levels: Levels) -> None:
    score, zero = [change("piqa", 0.4)], [change("piqa", 0.4, 0.0), change("boolq", 0.4)]
    perplexities = rule("share", floor("perplexities", "growth", at_most=2), piqa=1)
    of_all = rule("points", floor("*", "share", 1), floor("scores", "growth", 0), piqa=1)
    two = rule("share", floor("*", "share", 1), floor("*", "from chance", 1), piqa=1)
    nothing = "nothing to hold the floor of {} against".format
    assert levels.missing(
        *each(perplexities, score, [*score, change("wikitext", 20.0, 10.0)]),
        *each(of_all, zero[:1], zero, score),
        (two, score),
    ) == [
        nothing("perplexities"), None,
        f"{nothing('all benchmarks')}; {nothing('scores')}", None, None,
        nothing("all benchmarks"),
    ]  # fmt: skip


def test_a_level_measured_on_fewer_than_another_cannot_win_by_it(levels: Levels) -> None:
    both = [change("piqa", 0.4, pct=10), change("boolq", 0.4, pct=10)]
    shots = [change("piqa", 0.4, pct=10, num_fewshot=shots) for shots in (0, 5)]
    one = change("piqa", 0.4)
    narrowest = [rule("share", floor(name, "value", 0), prefer="narrowest") for name in ("*", "piqa")]
    assert levels.missing(
        *each(rule(all_=1), [*both, one], [*shots, one | {"num_fewshot": 0}]),
        *((under, [*both, one]) for under in narrowest),
        *each(rule(all_=1), [*both, one | {"method": "pp"}], [*both, one | {"conditions": "few"}]),
    ) == [
        "1 of 2 benchmarks measured", "1 of 2 measurements of its benchmarks",
        "1 of 2 measurements for its floors", None,
        None, None,
    ]  # fmt: skip


def test_where_nothing_can_be_weighed_there_is_no_score(levels: Levels) -> None:
    """A rule that weighs nothing, or by weights of zero, needs none."""
    zero = [change("piqa", 0.4, 0.0)]
    narrowest = [rule("share", floor("piqa", "value", 0.1), prefer="narrowest", **of) for of in ({}, {"piqa": 0})]
    told = ("score", "counted", "missing", "eligible", "prefer")
    said = levels.judge((rule(all_=1), zero), *((under, zero) for under in narrowest))
    assert [[row[name] for name in told] for (row,) in said] == [
        [None, 0, "none of its benchmarks can be weighed", False, "score"],
        [None, 0, None, True, "narrowest"],
        [None, 0, None, True, "narrowest"],
    ]
