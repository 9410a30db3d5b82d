"""What a run is foretold to take beside its cells: a profile, and energy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.planning.draft import Draft
from engine.planning.draft_command import command
from engine.planning.forecast import Draws, forecast
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import TaskSpec
from warehouse.records.level import parse_levels

SHAPE = Shape(
    model_type="llama", hidden_size=64, intermediate_size=512, num_hidden_layers=2, vocab_size=100,
    parameters=1_000_000, parameters_per_neuron=384, fused=False, cache_per_token=64, dtype="float32", device="cpu",
)  # fmt: skip
PLAN = RunPlan(name="r", model="org/m", levels=tuple(parse_levels("0,40")), tasks=(TaskSpec("piqa"),))
TIMINGS: dict[tuple[str, str, float | None], float] = {("org/m", "piqa", None): 10.0}


def test_energy_is_what_earlier_runs_drew_for_as_long_as_it_takes() -> None:
    seen = forecast(PLAN, SHAPE, {}, TIMINGS, {"org/m": 5.0}, {}, Draws(watts={"org/m": 300.0}))
    assert seen.seconds == 25.0
    assert seen.joules == 7500.0
    assert forecast(PLAN, SHAPE, {}, TIMINGS, {}, {}, Draws(watts={"org/other": 300.0})).joules is None
    assert forecast(PLAN, SHAPE, {}, {}, {}, {}, Draws(watts={"org/m": 300.0})).joules is None


def test_a_profile_takes_what_earlier_ones_took_and_at_most_its_bound() -> None:
    profiled = replace(PLAN, profile=ProfilePlan())
    unknown = forecast(profiled, SHAPE, {}, TIMINGS, {}, {})
    assert (unknown.profiling, unknown.profiling_bound, unknown.seconds) == (20.0, 20.0, 40.0)  # a CPU's bound
    known = forecast(profiled, SHAPE, {}, TIMINGS, {}, {}, Draws(profiling={"org/m": 4.0}))  # a level
    assert (known.profiling, known.seconds) == (8.0, 28.0)
    longer = forecast(profiled, SHAPE, {}, TIMINGS, {}, {}, Draws(profiling={"org/m": 40.0}))
    assert longer.profiling == 20.0
    on_gpu = forecast(profiled, replace(SHAPE, device="cuda"), {}, TIMINGS, {}, {})
    assert on_gpu.profiling_bound == 1800.0
    assert forecast(PLAN, SHAPE, {}, TIMINGS, {}, {}).profiling is None


def test_a_profile_alone_takes_its_own_time() -> None:
    alone = forecast(replace(PLAN, tasks=(), profile=ProfilePlan(seconds=60)), SHAPE, {}, {}, {}, {})
    assert (alone.cells, alone.seconds) == (0, 60.0)


def test_the_form_keeps_a_profile_and_its_command_says_so(tmp_path) -> None:
    draft = Draft.of(replace(PLAN, profile=ProfilePlan()))
    assert draft.profile
    assert draft.plan().profile == ProfilePlan()
    assert " --profile" in command(draft, tmp_path / "r.duckdb")
    assert replace(draft, profile=False).plan().profile is None
    alone = Draft(model="org/m", profile=True)
    assert alone.problems() == {}
    assert alone.plan().tasks == ()


def test_a_clone_keeps_the_settings_of_a_profile_that_no_option_says(tmp_path) -> None:
    own = ProfilePlan(prompts=(64,), rounds=1)
    draft = Draft.of(replace(PLAN, profile=own))
    assert draft.plan().profile == own
    assert draft.settings_apart() == "a profile with settings of its own"
    with pytest.raises(Exception, match=r"`prune-tui run --like RUN --db .*` keeps them"):
        command(draft, tmp_path / "r.duckdb")
