"""pareto_front against NumPy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest


def scores(run, values, *, task="piqa") -> None:
    for level, value in values.items():
        run.cell(level, task, value)


def test_a_width_is_dominated_by_one_no_larger_and_no_worse(new_run, merged, ask):
    run = new_run("r1")
    run.start(widths={"0": 100, "20": 80, "40": 60})
    scores(run, {"0": 0.5, "20": 0.3, "40": 0.4})
    merged(run)
    assert ask(
        "select pruning_pct, on_front, dominated_by, dominated_by_pct from pareto_front "
        "where scope = 'one model' order by 1"
    ) == [(0.0, True, None, None), (20.0, False, "org/Tiny", 40.0), (40.0, True, None, None)]


def test_quality_is_the_mean_of_scores_without_perplexities(new_run, merged, ask, metric):
    run = new_run("r1")
    run.start()
    run.cell("20", "piqa", metrics=[metric("acc", 0.4, stderr=0.03)])
    run.cell("20", "boolq", metrics=[metric("acc", 0.6, stderr=0.04)])
    run.cell("20", "wikitext", metrics=[metric("word_perplexity", 20.0)])
    merged(run)
    assert ask("select distinct quality, quality_stderr, benchmarks from pareto_front") == [
        (pytest.approx(0.5), pytest.approx(0.025), 2)
    ]


def test_a_benchmark_with_two_numbers_of_shots_counts_once(new_run, merged, ask, metric):
    run = new_run("r1")
    run.start()
    for shots, value in ((0, 0.2), (5, 0.4)):
        run.cell("20", "piqa", metrics=[metric("acc", value, stderr=0.03)], num_fewshot=shots)
    run.cell("20", "boolq", metrics=[metric("acc", 0.6, stderr=0.04)])
    merged(run)
    assert ask("select distinct quality, quality_stderr, benchmarks from pareto_front") == [
        (pytest.approx((0.3 + 0.6) / 2), pytest.approx(0.025), 2)
    ]


def test_chosen_models_have_a_front_of_their_own(new_run, merged, ask):
    for name, scale, value in (("org/Tiny", 1, 0.5), ("org/Large", 2, 0.4)):
        run = new_run(name[-4:])
        run.start(model=name, weights=name, scale=scale)
        scores(run, {"0": value})
        merged(run)
    ((large,),) = ask("select distinct model_id from models where model = 'org/Large'")
    front = "select on_front from {} where scope = 'all models' and model = 'org/Large'"
    assert ask(front.format("pareto_front")) == [(False,)]
    assert ask(front.format(f"pareto_front_of(['{large}'])")) == [(True,)]


@pytest.mark.parametrize(
    "differs", [{"conditions": {"documents": "5"}}, {"task": "boolq"}], ids=["conditions", "benchmarks"]
)
def test_only_what_was_measured_alike_is_compared(new_run, merged, ask, differs):
    one, other = new_run("r1"), new_run("r2")
    one.start()
    other.start(model="org/Large", weights="w2", scale=2, conditions=differs.get("conditions"))
    scores(one, {"0": 0.9})
    scores(other, {"0": 0.1}, task=differs.get("task", "piqa"))
    merged(one, other)
    assert ask("select distinct on_front from pareto_front") == [(True,)]


def test_the_front_of_many_widths_of_two_models_is_numpys(new_run, merged, ask):
    rng = np.random.default_rng(0)
    widths = {str(pct): 100 - pct for pct in range(0, 60, 5)}
    points = []
    for name, scale in (("org/Tiny", 1), ("org/Large", 2)):
        run = new_run(f"r{scale}")
        run.start(model=name, weights=name, scale=scale, widths=widths)
        values = {level: round(float(rng.uniform(0.3, 0.6)), 2) for level in widths}
        scores(run, values)
        merged(run)
        points += [(10 * widths[level] * scale, value) for level, value in values.items()]
    size, quality = np.array(points).T
    no_worse = (size[:, None] <= size) & (quality[:, None] >= quality)
    better = (size[:, None] < size) | (quality[:, None] > quality)
    front = sorted((s, q) for (s, q), beaten in zip(points, (no_worse & better).any(axis=0), strict=True) if not beaten)
    assert (
        ask("select parameters, quality from pareto_front where scope = 'all models' and on_front order by 1") == front
    )
