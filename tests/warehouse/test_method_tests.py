"""method_tests: methods of one model against each other, damage text by text, on sums that can be checked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from run_writer import metric

from warehouse.exporters.export import export_deltas

TOKENS = (10, 20, 10)
MAW = (1.0, 4.0, 3.0)  # nats in all: 8 on 40 tokens, 0.2 a token

SCHEMA = {"doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
          "response": pl.String}  # fmt: skip


@pytest.fixture
def damaged(new_run):
    """A run at 40 % whose sequences of held-out text have these sums of KL divergence, and agree on so many tokens."""

    def make(run_id: str, method: str, sums: Sequence[float], agree: Sequence[int], *, tokens=TOKENS, text="held-out"):
        run = new_run(run_id)
        run.start(method=method, repair="none", sweep="s1")
        run.line(
            "task", task="damage", part_of=None, version="1", output_type="damage", num_fewshot=0, n_docs=len(tokens),
            n_requests=len(tokens), dataset="self", dataset_fingerprint=None, requests_hash=text,
        )  # fmt: skip
        for level, told in (("0", ((0.0,) * len(tokens), tokens)), ("40", (sums, agree))):
            rows = [
                (at, "none", name, float(value), float(count), None)
                for name, values in zip(("kl_divergence", "top1_agreement"), told, strict=True)
                for at, (value, count) in enumerate(zip(values, tokens, strict=True))
            ]
            file = f"samples/{level}.parquet"
            pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(run.folder / file)
            total = sum(tokens)
            metrics = [
                metric("kl_divergence", math.fsum(told[0]) / total, higher_is_better=False),
                metric("top1_agreement", math.fsum(told[1]) / total, higher_is_better=True),
            ]
            run.cell(level, "damage", metrics=metrics, samples=file)
        return run

    return make


ROWS = (
    "select first_method, second_method, first_amount, second_amount, difference, ci_low, ci_high, p_value, p_holm, "
    "p_kind, loses_more from method_tests where metric = 'kl_divergence' order by all"
)


def test_damage_of_two_methods_is_compared_text_by_text(damaged, merged, ask):
    """OBS loses 0.05 nats a token less on each text, so on every choice of texts: (8 - 0.05 · 40) / 40 = 0.15."""
    obs = [one - 0.05 * count for one, count in zip(MAW, TOKENS, strict=True)]
    merged(damaged("r1", "maw", MAW, (5, 10, 5)), damaged("r2", "obs", obs, (5, 10, 5)))
    [row] = ask(ROWS)
    assert row[:2] == ("maw", "obs")
    assert row[2:7] == pytest.approx((0.2, 0.15, -0.05, -0.05, -0.05))
    assert row[7] == pytest.approx(2 / 10_000)  # no draw of 9,999 is at or beyond zero
    assert row[8:] == (pytest.approx(2 / 10_000), "bootstrap", "first")


def test_the_interval_is_that_of_the_differences_not_of_the_two_methods(damaged, merged, ask):
    """Of two texts of 10 tokens on which OBS gains 1 and 3 nats. Draws are twice the first, both, or twice the second,
    1 : 2 : 1: gains of 0.1, 0.2 and 0.3 a token, whose standard deviation is 0.1 · √½. The texts themselves are as
    far apart as 10 and 50 nats, which says nothing of the two.
    """
    runs = (
        damaged("r1", "maw", (10, 50), (5, 5), tokens=(10, 10)),
        damaged("r2", "obs", (9, 47), (5, 5), tokens=(10, 10)),
    )
    merged(*runs)
    [(difference, stderr, low, high)] = ask(
        "select difference, stderr, ci_low, ci_high from method_tests where metric = 'kl_divergence'"
    )
    assert (difference, low, high) == pytest.approx((-0.2, -0.3, -0.1))
    assert stderr == pytest.approx(0.1 * math.sqrt(0.5), rel=0.03)  # 9,999 draws


def test_agreement_is_compared_the_other_way_round(damaged, merged, ask):
    """The likeliest token is the same for 20 of 40, and one in ten more: 0.5 and 0.6."""
    merged(damaged("r1", "maw", MAW, (5, 10, 5)), damaged("r2", "obs", MAW, (6, 12, 6)))
    assert ask(
        "select round(first_amount, 9), round(second_amount, 9), round(difference, 9), loses_more from method_tests "
        "where metric = 'top1_agreement'"
    ) == [(0.5, 0.6, 0.1, "first")]


def test_each_pair_of_methods_is_one_comparison_more(damaged, merged, ask):
    """Three pairs. L2 does what MAW does, p = 1; OBS differs from both, p = 0.0002, which three tests make 0.0006, and
    the next of two 0.0004, never less than the one before.
    """
    obs = [one - 0.05 * count for one, count in zip(MAW, TOKENS, strict=True)]
    runs = [damaged(f"r{at}", name, sums, (5, 10, 5)) for at, (name, sums) in enumerate(
        (("maw", MAW), ("l2", MAW), ("obs", obs))
    )]  # fmt: skip
    merged(*runs)
    told = {(first, second): (p, holm, word) for first, second, *_, p, holm, _, word in ask(ROWS)}
    assert told == {
        ("l2", "maw"): (1.0, 1.0, "noise"),
        ("l2", "obs"): (pytest.approx(0.0002), pytest.approx(0.0006), "first"),
        ("maw", "obs"): (pytest.approx(0.0002), pytest.approx(0.0006), "first"),
    }


def test_scores_are_corrected_over_benchmarks_whether_or_not_damage_was_measured(damaged, merged, ask):
    runs = [damaged("r1", "maw", MAW, (5, 10, 5)), damaged("r2", "obs", MAW, (5, 10, 5))]
    for run, values in zip(runs, (("piqa", 0.6), ("arc_easy", 0.5)), strict=True):
        for level in ("0", "40"):
            for task in ("piqa", "arc_easy"):
                run.cell(level, task, 0.8 if level == "0" or values[0] == task else 0.5, stderr=0.1, n=100)
    merged(*runs)
    scores = ask("select task, p_value, p_holm from method_tests where measure = 'percent' order by p_value")
    assert len(scores) == 2
    assert scores[0][2] == pytest.approx(2 * scores[0][1])


def test_damage_on_two_texts_is_not_compared(damaged, merged, ask):
    merged(damaged("r1", "maw", MAW, (5, 10, 5)), damaged("r2", "obs", MAW, (5, 10, 5), text="another"))
    assert ask("from method_tests") == []


def test_a_table_for_papers_sets_methods_against_each_other(damaged, merged, database):
    obs = [one - 0.05 * count for one, count in zip(MAW, TOKENS, strict=True)]
    merged(damaged("r1", "maw", MAW, (5, 10, 5)), damaged("r2", "obs", obs, (5, 10, 5)))
    told = _exported(database, significance=True, intervals=True)
    assert "### Tiny, methods against each other" in told.replace("org/", "")
    assert [" ".join(line.split()) for line in told.splitlines() if line.startswith("| 40%") and "OBS" in line] == [
        r"| 40% | MAW | OBS | -0.0500\* \[-0.0500, -0.0500\] |"
    ]
    assert "Tests: a bootstrap of pairs of documents (damage)." in told
    assert "Not tested" not in told
    assert "against each other" not in _exported(database, intervals=True)
    assert "against each other" not in _exported(database, method="obs", significance=True)


def _exported(database: Path, **how: Any) -> str:
    return str(export_deltas(database, model="Tiny", **how))


def test_perplexities_without_documents_are_compared_by_their_logarithms_and_own_errors(new_run, merged, ask):
    """12 ± 0.3 against 11 ± 0.2: the baseline, which both have in common, is no part of the error."""
    for run_id, method, value, stderr in (("r1", "maw", 12.0, 0.3), ("r2", "l2", 11.0, 0.2)):
        run = new_run(run_id)
        run.start(method=method, repair="none", sweep="s1")
        for level, (told, error) in (("0", (10.0, 0.4)), ("40", (value, stderr))):
            run.cell(level, "wikitext", metrics=[metric("word_perplexity", told, stderr=error, higher_is_better=False)])
        merged(run)
    z = math.log(12 / 11) / math.hypot(0.3 / 12, 0.2 / 11)
    [(p,)] = ask("select p_value from method_tests where metric = 'word_perplexity'")
    assert p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))


def test_scores_without_documents_are_compared_by_both_errors(new_run, merged, ask):
    for run_id, method, value, stderr in (("r1", "maw", 0.5, 0.01), ("r2", "l2", 0.45, 0.02)):
        run = new_run(run_id)
        run.start(method=method, repair="none", sweep="s1")
        for level, (told, error) in (("0", (0.6, 0.03)), ("40", (value, stderr))):
            run.cell(level, "piqa", metrics=[metric("acc", told, stderr=error)])
        merged(run)
    [(p,)] = ask("select p_value from method_tests where metric = 'acc'")
    assert p == pytest.approx(math.erfc(0.05 / math.hypot(0.01, 0.02) / math.sqrt(2)))
