"""A run that is asked to measures what each level costs: in a shuffled order, once, and what it cannot it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning.plan import RunPlan
from engine.planning.profiling import LARGEST, ProfilePlan, Workload, parse_batches
from engine.runs import launch
from engine.runs.create import create_all
from engine.runs.rundir import RunDir
from warehouse.records.events import Measured, of_kind
from warehouse.records.level import parse_levels
from warehouse.records.measurements import MachineFacts, MeasurementFacts

PLAN = RunPlan(
    name="test",
    model="demo",
    levels=tuple(parse_levels("0,40")),
    tasks=(),
    profile=ProfilePlan(
        prompts=(16, 512), batches=(1,), new_tokens=3, engines=("transformers",), rounds=2, seconds_each=0.01
    ),
)


def finished(run: RunDir) -> list[tuple[str, MeasurementFacts]]:
    assert launch.start(run).wait(timeout=300) == launch.FINISHED, "\n".join(launch.log_tail(run))
    return [(one.level, row) for one in of_kind(run.events(), Measured) for row in one.measurements]


@pytest.mark.slow
def test_each_width_is_measured_in_each_round_and_not_again(tmp_path: Path) -> None:
    [run] = create_all([PLAN], tmp_path / "results.duckdb")
    rows = finished(run)
    times = [
        (level, row.width, row.round) for level, row in rows if row.quantity == "time_per_output_token" and row.mean
    ]
    widths = {("0", "exact"), ("40", "exact"), ("40", "padded")}
    assert sorted(times) == sorted((*width, number) for width in widths for number in (1, 2))
    reasons = {row.note for _, row in rows if row.prompt_tokens == 512}
    assert reasons == {"the model's context is 256 tokens"}
    weights = {(level, row.width): row.mean or 0.0 for level, row in rows if row.quantity == "weights"}
    assert weights["0", "exact"] > weights["40", "padded"] > weights["40", "exact"]
    [machine] = of_kind(run.events(), MachineFacts)
    assert machine.copy_rate
    assert machine.matrix_rate
    assert machine.energy_source or machine.energy_missing
    assert len(finished(run)) == len(rows)
    assert len(of_kind(run.events(), MachineFacts)) == 1


@pytest.mark.slow
def test_what_the_bound_leaves_out_is_missing_with_its_reason(tmp_path: Path) -> None:
    assert PLAN.profile is not None
    hurried = replace(PLAN, profile=replace(PLAN.profile, prompts=(16,), seconds=1e-6))
    [run] = create_all([hurried], tmp_path / "results.duckdb")
    rows = [row for _, row in finished(run) if row.quantity == "time_to_first_token"]
    assert {(row.mean, row.note) for row in rows} == {(None, "the bound of 1e-06 s for the whole profile came first")}


def test_a_plan_with_a_profile_comes_back_as_it_was_written() -> None:
    assert RunPlan.from_dict(json.loads(json.dumps(PLAN.to_dict()))) == PLAN
    assert (
        RunPlan.from_dict({name: value for name, value in PLAN.to_dict().items() if name != "profile"}).profile is None
    )


def test_requests_are_prompts_by_batches_and_the_largest_has_a_name() -> None:
    asked = ProfilePlan(prompts=(128,), batches=parse_batches("1,max"), new_tokens=4)
    assert asked.requests(on_gpu=True) == [
        Workload("128 in, 4 out, 1 at a time", 1, 128, 4), Workload("128 in, 4 out, as many as fit", LARGEST, 128, 4),
    ]  # fmt: skip
    named = ProfilePlan(workloads=("mmlu_latency_b1",))
    assert [one.name for one in named.requests(on_gpu=False)] == ["mmlu_latency_b1"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"engines": ("triton",)}, "There is no engine 'triton'"),
        ({"workloads": ("mmlu",)}, "There is no workload 'mmlu'"),
        ({"prompts": (1,)}, "at least two tokens in and two out"),
        ({"rounds": 0}, "whole numbers above zero"),
        ({"seconds": -1.0}, "above zero"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(wrong, words: str) -> None:
    with pytest.raises(UserError, match=words):
        ProfilePlan(**wrong)


def test_compiled_layers_are_not_profiled() -> None:
    with pytest.raises(UserError, match="leave --compile out"):
        replace(PLAN, compile_layers=True)
    with pytest.raises(UserError, match="leave --cards out"):
        replace(PLAN, cards=2)
