"""pair_claims_from, on changes and levels by hand: claims 7 (whose perplexity grows faster) and 8 (the best level)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from by_hand import Z
from claim_rows import Pairs

from warehouse.store import db


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    path = tmp_path_factory.mktemp("pairs") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Pairs(con)


def curve(*logs: float, stderr: float | None = None, **about: Any) -> list[dict[str, Any]]:
    """A perplexity of 5 whose logarithm has grown by this at 10, 20 … %."""
    named = {"task": "lambada_openai", "benchmark": "LAMBADA", "metric": "perplexity", "kind": "perplexity"}
    return [
        named | {"pruning_pct": 10.0 * step, "baseline": 5.0, "value": 5 * math.exp(log), "log_stderr": stderr} | about
        for step, log in enumerate(logs, start=1)
    ]


def verdicts(said: Sequence[list[dict]]) -> list[tuple[str, str]]:
    return [(row["verdict"], row["says"].rpartition(", ")[2]) for (row,) in said]


def test_the_larger_grows_faster(pairs: Pairs) -> None:
    """On a line without errors any difference is beyond noise; other perplexities and scores say nothing of it."""
    wikitext: dict[str, Any] = {"task": "wikitext", "benchmark": "WikiText", "metric": "word_perplexity"}
    score: dict[str, Any] = {"metric": "acc", "kind": "score"}
    smaller, larger = curve(1, 2, 3), curve(1.5, 3, 4.5)
    others = [(curve(1, 2, 3, **about), curve(1, 2, 3, **about)) for about in (wikitext, score)]
    said = pairs.say(
        (smaller, larger),
        ([*smaller, *others[0][0]], [*larger, *others[0][1]]),
        others[0],
    )
    assert [len(rows) for rows in said] == [1, 1, 0]
    assert said[0][0] == {
        "claim": 7, "model": "org/S", "larger": "org/L", "method": "maw", "verdict": "supported",
        "says": "LAMBADA grows more in the larger at 3 of 3 levels; for each 10 % ×4.48 in the larger, ×2.72 in the "
        "smaller, beyond noise",
        "missing": None, "conditions": None, "model_id": "s0", "larger_id": "l0",
    }  # fmt: skip
    assert said[1][0]["says"] == said[0][0]["says"]


def test_it_grows_more_at_each_level_at_half_of_them_or_at_fewer(pairs: Pairs) -> None:
    """As much is not more."""
    said = pairs.say(
        (curve(1, 2, 3), curve(1, 4, 6)),
        (curve(1, 2, 3, 4), curve(0, 1, 4, 5)),
        (curve(1, 2, 3), curve(0, 1, 4)),
        (curve(2, 4, 6), curve(1, 2, 3)),
    )
    assert [(row["verdict"], row["says"].partition(";")[0][33:]) for (row,) in said] == [
        ("mixed", "at 2 of 3 levels"),
        ("mixed", "at 2 of 4 levels"),
        ("not supported", "at 1 of 3 levels"),
        ("not supported", "at 0 of 3 levels"),
    ]
    assert pairs.say((curve(1, 2, 3),) * 2)[0][0]["says"].endswith("within noise")
    assert said[3][0]["says"].endswith("×2.72 in the larger, ×7.39 in the smaller, beyond noise")


def test_residuals_of_four_widths_leave_two_degrees_of_freedom(pairs: Pairs) -> None:
    """Residuals of ± e on four points have 4 e² in all: the slope's error is √(4 e² / 2 / 5), and t is 4.3027."""
    edge = 1 / (4.302652729911275 * math.sqrt(0.4))

    def off(e: float) -> tuple[list[dict], list[dict]]:
        return curve(0, 0, 0), curve(1 - 2 * e, 2 - 2 * e, 3)

    assert verdicts(pairs.say(off(0.999 * edge), off(1.001 * edge))) == [
        ("supported", "beyond noise"), ("mixed", "within noise"),
    ]  # fmt: skip


def test_the_values_own_errors_count_where_they_say_less(pairs: Pairs) -> None:
    """Levels of errors 3 e and 4 e, and none at full width: √((0.25 + 0.25 + 2.25) · 25 e²) / 5."""
    edge = 1 / (Z * math.sqrt(2.75))

    def known(e: float, lacking: int | None = None) -> tuple[list[dict], list[dict]]:
        smaller, larger = curve(1, 2, 3, stderr=3 * e), curve(2, 4, 6, stderr=4 * e)
        if lacking is not None:
            larger[lacking]["log_stderr"] = None
        return smaller, larger

    assert verdicts(pairs.say(known(0.999 * edge), known(1.001 * edge), known(9, lacking=1))) == [
        ("supported", "beyond noise"), ("mixed", "within noise"), ("supported", "beyond noise"),
    ]  # fmt: skip


def test_curves_take_three_levels_in_common(pairs: Pairs) -> None:
    ((row,),) = pairs.say((curve(1, 2, 3), curve(2, 4)))
    assert (row["claim"], row["verdict"], row["says"], row["missing"]) == (
        7, "cannot tell", None, "LAMBADA at 2 levels in common only",
    )  # fmt: skip
    wikitext: dict[str, Any] = {"task": "wikitext", "benchmark": "WikiText"}
    assert pairs.say((curve(1, 2, **wikitext), curve(2, 4, **wikitext)), (curve(1, kind="score"),) * 2) == [[], []]


def level(pct: float, score: float | None = 0.0, stderr: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {"pruning_pct": pct, "score": score, "score_stderr": stderr, "parameters": 1000 - 10 * int(pct), **more}


def test_the_smaller_can_be_pruned_more(pairs: Pairs) -> None:
    smaller, larger = [level(10, 1, 3), level(20, 11, 4)], [level(10, 30, 4), level(20, 20, 3)]
    assert pairs.best((smaller, larger)) == [[
        {
            "claim": 8, "model": "org/S", "larger": "org/L", "method": "maw", "verdict": "supported",
            "says": "of 2 levels in common the smaller's best is 20 % (second 10 %, clearly less), the larger's 10 % "
            "(second 20 %, clearly less)",
            "missing": None, "conditions": None, "model_id": "s0", "larger_id": "l0",
        }
    ]]  # fmt: skip


def test_a_best_level_is_clear_of_its_second_beyond_noise_or_has_none(pairs: Pairs) -> None:
    """Errors of 3 and 4: five together."""
    clear_s, clear_l = [level(10, 0, 3), level(20, 20, 4)], [level(10, 20, 3), level(20, 0, 4)]
    edge_s, edge_l = [level(10, 0, 3), level(20, 5 * Z, 4)], [level(10, 5 * Z, 3), level(20, 0, 4)]
    over_s = [level(10, 0, 3), level(20, 5.001 * Z, 4)]
    unknown_s = [level(10, 0, None), level(20, 20, 4)]
    unknown_l = [level(10, 20, None), level(20, 0, 4)]
    only_s = [level(10, eligible=False), level(20)]
    only_l = [level(10), level(20, eligible=False)]
    said = pairs.best(
        (clear_s, edge_l), (edge_s, clear_l), (over_s, clear_l), (unknown_s, clear_l), (clear_s, unknown_l),
        (only_s, clear_l), (clear_s, only_l), (clear_l, clear_s), (clear_s, clear_s),
    )  # fmt: skip
    clear, noise, not_known = "clearly less", "within noise", "noise not known"

    def told(smaller: str, larger: str) -> str:
        one, two = (
            word if word.startswith("the only") else f"second {pct} %, {word}"
            for word, pct in ((smaller, 10), (larger, 20))
        )
        return f"of 2 levels in common the smaller's best is 20 % ({one}), the larger's 10 % ({two})"

    only = "the only one that holds the floors"
    assert [(row["verdict"], row["says"]) for (row,) in said[:7]] == [
        ("mixed", told(clear, noise)),
        ("mixed", told(noise, clear)),
        ("supported", told(clear, clear)),
        ("mixed", told(not_known, clear)),
        ("mixed", told(clear, not_known)),
        ("supported", told(only, clear)),
        ("supported", told(clear, only)),
    ]
    assert [row["verdict"] for (row,) in said[7:]] == ["not supported", "not supported"]


def test_which_level_is_best(pairs: Pairs) -> None:
    """The highest score, of equal ones the fewest parameters, then the most pruned; or the fewest of all."""
    narrow: dict[str, Any] = {"prefer": "narrowest"}
    cases = [
        [level(10, 5), level(20, 5)],
        [level(10, 5, parameters=7), level(20, 5, parameters=7)],
        [level(10, 5, parameters=6), level(20, 5, parameters=7)],
        [level(10, 5), level(20, None)],
        [level(10, 5, **narrow), level(20, 1, **narrow)],
    ]
    said = pairs.best(*((one, one) for one in cases))
    assert [row["says"].split("best is ")[1][:5] for (row,) in said] == ["20 % ", "20 % ", "10 % ", "10 % ", "20 % "]


def test_levels_count_that_both_have_with_all_that_the_rule_needs(pairs: Pairs) -> None:
    both = [level(10), level(20)]
    said = pairs.best(
        (both[:1], both),
        (both, [level(10), level(20, missing="MMLU was not measured")]),
        ([level(10), level(20, missing="MMLU was not measured")], both),
        ([level(10, eligible=False), level(20, eligible=False)], both),
        (both, [level(10, eligible=False), level(20, eligible=False)]),
        ([], both),
        (both, []),
        (both, [level(10, method="pp"), level(20, conditions="few")]),
    )
    assert [[(row["verdict"], row["says"], row["missing"]) for row in rows] for rows in said] == [
        *([("cannot tell", None, "what the rule `study` needs at 1 levels in common only")] for _ in range(3)),
        *([("cannot tell", None, "a level that the rule `study` may call best")] for _ in range(2)),
        [],
        [],
        [("cannot tell", None, "what the rule `study` needs at 0 levels in common only")],
    ]
