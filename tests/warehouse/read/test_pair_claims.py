"""pair_claims_from, on changes by hand: claims 2, 4 and 5. Errors of 3 and 4 make one of 5 together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from by_hand import Z
from claim_rows import Pairs

from warehouse.store import db

MC1: dict[str, Any] = {"task": "truthfulqa_mc1", "benchmark": "MC1"}


def _task(name: str) -> dict[str, Any]:
    return {"task": name.lower(), "benchmark": name}


MMLU, GSM8K, BOOLQ = _task("MMLU"), _task("GSM8K"), _task("BoolQ")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pairs]:
    path = tmp_path_factory.mktemp("pairs") / "results.duckdb"
    with db.open_write(path):
        pass
    with db.open_read(path) as con:
        yield Pairs(con)


def at(pct: float, gain: float, stderr: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {"pruning_pct": pct, "gain": gain, "stderr": stderr, **more}


def test_the_smaller_gains_and_the_larger_does_not(pairs: Pairs) -> None:
    """Means of 50 ± 1.96 · 15 and of 10 points; the difference's error is that of each level's two, averaged: 18.25."""
    smaller = [at(10, 0.6, 0.2, table_verdict="gain"), at(20, 0.4, 0.1, table_verdict="noise")]
    larger = [at(10, 0.3, 0.1, table_verdict="gain"), at(20, -0.1, 0.1)]
    assert pairs.say((smaller, larger)) == [[
        {
            "claim": 2, "model": "org/S", "larger": "org/L", "method": "maw", "verdict": "supported",
            "says": "MuSR of the smaller better at 2 of 2 levels, 1 beyond noise, mean +50.0 points; of the larger "
            "+10.0; difference +40.0 (+4.2 to +75.8)",
            "missing": None, "conditions": None, "model_id": "s0", "larger_id": "l0",
        }
    ]]  # fmt: skip


EDGES = [
    ((10, 1, "gain"), (0, 1), "supported"),
    ((Z, 1, "noise"), (-10, 1), "not supported"),  # its mean's interval touches zero: that is no gain beyond noise
    ((Z, 1, "gain"), (-10, 1), "mixed"),
    ((20, 1, "gain"), (2 * Z, 2), "supported"),  # nor is the larger's
    ((20, 1, "gain"), (4, 2), "mixed"),
    ((2.001 * Z, 2, "noise"), (-10, 1), "supported"),
    ((5 * Z, 3, "gain"), (0, 4), "mixed"),  # the difference is as large as its noise
    ((5.001 * Z, 3, "gain"), (0, 4), "supported"),
    ((0, 3, "gain"), (5 * Z, 4), "mixed"),
    ((0, 3, "gain"), (5.001 * Z, 4), "not supported"),
]


@pytest.mark.parametrize(("about", "claim"), [({}, 2), (MC1, 4)], ids=["MuSR", "MC1"])
def test_what_reaches_to_the_edge_of_its_noise_is_not_beyond_it(pairs: Pairs, about: dict, claim: int) -> None:
    said = pairs.say(
        *(
            (
                [at(pct, gain, stderr, table_verdict=alone, **about) for pct in (10, 20)],
                [at(pct, *larger, **about) for pct in (10, 20)],
            )
            for (gain, stderr, alone), larger, _ in EDGES
        )
    )
    assert [[(row["claim"], row["verdict"]) for row in rows] for rows in said] == [
        [(claim, verdict)] for *_, verdict in EDGES
    ]


def test_a_mean_takes_two_levels_in_common_and_all_errors(pairs: Pairs) -> None:
    both = [at(10, 1), at(20, 1)]
    lacking = [at(10, 1), at(20, 1, None)]
    said = pairs.say((both[:1], both), (lacking, both), (both, lacking))
    assert [(row["verdict"], row["says"], row["missing"]) for (row,) in said] == [
        ("cannot tell", None, "MuSR at 1 levels in common only"),
        ("cannot tell", None, "no standard error of MuSR"),
        ("cannot tell", None, "no standard error of MuSR"),
    ]


def test_a_level_that_is_no_better_takes_the_support_away(pairs: Pairs) -> None:
    ((row,),) = pairs.say(([at(10, 0), at(20, 20)], [at(10, 0), at(20, 0)]))
    assert row["verdict"] == "mixed"
    assert row["says"].startswith("MuSR of the smaller better at 1 of 2 levels, 0 beyond noise, mean +1000.0 points")


def test_only_what_was_measured_alike_is_compared(pairs: Pairs) -> None:
    differing = [
        ("method", "pp"), ("conditions", "few"), ("task", "other"), ("metric", "f1"), ("filter", "strict"),
        ("pruning_pct", 11.0), ("num_fewshot", 5), ("version", "2"),
    ]  # fmt: skip
    ours = at(10, 1)
    others = [ours | {name: value} for name, value in differing]
    assert pairs.say(*(([ours], [one]) for one in others), *(([one], [ours]) for one in others)) == [[]] * 16
    assert [len(rows) for rows in pairs.say(([ours], [ours]))] == [1]


def test_of_mc1_it_is_told_who_starts_at_chance(pairs: Pairs) -> None:
    """Chance being 0.5, a score whose interval reaches down to it is at chance."""
    cases = {
        ((2 * Z, 2), (2 * Z, 2)): "; unpruned at chance: both",
        ((2 * Z, 2), (4, 2)): "; unpruned at chance: the smaller",
        ((4, 2), (2 * Z, 2)): "; unpruned at chance: the larger",
        ((4, 2), (4, 2)): "; unpruned at chance: neither",
        ((2, None), (2, 1)): "",
        ((2, 1), (2, None)): "",
    }

    def side(lead: float, error: float | None) -> list[dict]:
        return [at(pct, 0, baseline=0.5 + lead, baseline_stderr=error, chance=0.5, **MC1) for pct in (10, 20)]

    said = pairs.say(*((side(*smaller), side(*larger)) for smaller, larger in cases))
    begin = (
        "MC1 of the smaller better at 0 of 2 levels, 0 beyond noise, mean +0.0 points; of the larger +0.0; "
        "difference +0.0 (-277.2 to +277.2)"
    )
    assert [row["says"] for (row,) in said] == [begin + told for told in cases.values()]


def test_of_musr_nothing_is_told_of_chance(pairs: Pairs) -> None:
    side = [at(pct, 0, baseline_stderr=1.0, chance=0.5) for pct in (10, 20)]
    ((row,),) = pairs.say((side, side))
    assert row["says"].endswith("(-277.2 to +277.2)")


def loss(pct: float, stderr: float | None, *, level: float = 10, keeps: tuple = (None, None), **about: Any) -> dict:
    kept, error = keeps
    return {"pruning_pct": level, "delta_pct": pct, "pct_stderr": stderr, "retained_pct": kept,
            "retained_stderr": error, **about}  # fmt: skip


def test_the_larger_loses_more_of_its_knowledge(pairs: Pairs) -> None:
    """40 % more on average, ± 1.96 · 5; from chance the lowest level counts."""
    smaller = [
        loss(-10, 3, keeps=(60, 3), **MMLU),
        loss(-20, 3, level=20, keeps=(10, 1), **MMLU),
        loss(-10, 3, **GSM8K),
    ]
    larger = [loss(-40, 4, keeps=(50, 4), **MMLU), loss(-70, 4, level=20, keeps=(90, 1), **MMLU), loss(-30, 4, **GSM8K)]
    ((row,),) = pairs.say((smaller, larger))
    assert {name: row[name] for name in ("claim", "model", "larger", "verdict", "says", "missing")} == {
        "claim": 5,
        "model": "org/S",
        "larger": "org/L",
        "verdict": "supported",
        "says": "GSM8K loss greater by 20 % of the score in the larger (10 to 30); MMLU loss greater by 40 % of the "
        "score in the larger (30 to 50), from chance at 10 % the smaller keeps 60 %, the larger 50 %",
        "missing": None,
    }


def test_a_loss_is_greater_and_more_is_kept_where_that_is_beyond_noise(pairs: Pairs) -> None:
    """What is kept counts at the lowest level, with its error there."""
    nothing, half = loss(0, 3, keeps=(0, 3)), loss(-50, 4)
    farther = loss(0, 3, level=20, keeps=(0, 30)), loss(-50, 4, level=20, keeps=(0, 40))
    cases = [
        ([loss(0, 3)], [loss(-5 * Z, 4)], "not supported"),
        ([loss(0, 3)], [loss(-5.001 * Z, 4)], "supported"),
        ([nothing], [half | {"retained_pct": 5 * Z, "retained_stderr": 4}], "supported"),
        ([nothing], [half | {"retained_pct": 5.001 * Z, "retained_stderr": 4}], "mixed"),
        ([nothing, farther[0]], [half | {"retained_pct": 6 * Z, "retained_stderr": 4}, farther[1]], "mixed"),
    ]
    said = pairs.say(
        *([[one | task for task in (GSM8K, BOOLQ) for one in side] for side in case[:2]] for case in cases)
    )
    assert [row["verdict"] for (row,) in said] == [verdict for *_, verdict in cases]


def test_benchmarks_that_disagree_are_mixed_and_one_alone_cannot_tell(pairs: Pairs) -> None:
    no, yes = loss(2, 4), loss(-50, 4)
    said = pairs.say(
        ([loss(0, 3, **MMLU), loss(0, 3, **GSM8K)], [yes | MMLU, no | GSM8K]),
        ([loss(0, 3, **MMLU)], [yes | MMLU]),
        ([loss(0, 3, **MMLU), loss(0, None, **GSM8K)], [yes | MMLU, yes | GSM8K]),
    )
    alone = "MMLU loss greater by 50 % of the score in the larger (40 to 60)"
    assert [(row["verdict"], row["missing"], row["says"]) for (row,) in said] == [
        (
            "mixed",
            None,
            f"GSM8K loss greater by -2 % of the score in the larger (-12 to 8); {alone}",
        ),
        ("cannot tell", "1 more benchmark to tell from", alone),
        ("cannot tell", "GSM8K at 1 levels in common only", alone),
    ]


def test_a_number_of_shots_and_a_version_are_named_where_there_are_several(pairs: Pairs) -> None:
    def both(*measured: tuple[int, str]) -> tuple[list[dict], list[dict]]:
        about = [MMLU | {"num_fewshot": shots, "version": version} for shots, version in measured]
        return [loss(0, 3) | one for one in about], [loss(-50, 4) | one for one in about]

    said = pairs.say(
        both((0, "1")), both((0, "1"), (5, "1")), both((0, "1"), (0, "2")), both((0, "1"), (5, "1"), (5, "2"))
    )
    assert {row["verdict"] for (row,) in said} == {"cannot tell"}
    assert [[part.partition(" loss")[0] for part in row["says"].split("; ")] for (row,) in said] == [
        ["MMLU"],
        ["MMLU (0-shot)", "MMLU (5-shot)"],
        ["MMLU (version 1)", "MMLU (version 2)"],
        ["MMLU (0-shot, version 1)", "MMLU (5-shot, version 1)", "MMLU (5-shot, version 2)"],
    ]
