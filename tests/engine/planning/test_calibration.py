"""Which text neurons are looked at on, as it is named, and what that adds to a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.planning.calibration import CalibrationSource
from engine.planning.calibration_forecast import calibration_forecast
from engine.planning.choices import chosen_calibration
from engine.planning.draft import Draft
from engine.planning.draft_command import command
from engine.planning.forecast import forecast
from engine.planning.memory_forecast import memory_forecast
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.suites import TaskSpec
from warehouse.records.level import parse_levels
from warehouse.records.reading import Reading

LLAMA = Shape(
    model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, vocab_size=128_256,
    parameters=1_235_814_400, parameters_per_neuron=98_304, fused=False, cache_per_token=16_384, dtype="bfloat16",
    device="cuda",
)  # fmt: skip
GIB = 2**30


def plan(**changes) -> RunPlan:
    given = {"name": "m", "model": "m", "levels": tuple(parse_levels("0,40")), "tasks": (TaskSpec("piqa", 0),)}
    return RunPlan(**given | changes)


def test_a_source_is_the_model_itself_a_task_or_a_file():
    assert CalibrationSource.parse("self").is_self
    assert CalibrationSource.parse("task:piqa").task == "piqa"
    assert CalibrationSource.parse("a.txt").file == Path("a.txt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (None, "There is no calibration"),
    ],
)
def test_a_file_without_text_is_refused(tmp_path, content, said):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        chosen_calibration(str(path))


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        chosen_calibration(str(tmp_path))


def test_a_text_that_is_longer_than_the_glance_may_be_cut_within_a_character(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a" + "ü" * 2**20, encoding="utf-8")
    assert chosen_calibration(str(path)) == str(path)


def test_a_run_that_looks_at_no_text_is_foretold_nothing():
    assert calibration_forecast(plan(), LLAMA) is None
    assert memory_forecast(plan(), LLAMA, []).calibration == 0


def test_what_neurons_do_together_takes_their_number_squared_in_float32_a_layer():
    seen = calibration_forecast(plan(repair="lsq"), LLAMA)
    assert seen is not None
    assert seen.tokens == 131_072
    assert seen.bytes == 16 * 8192**2 * 4
    assert 1 < seen.seconds < 10


def test_a_device_without_room_for_all_layers_holds_one():
    weights = LLAMA.parameters * 2

    def held(free: int) -> int:
        gpu = Reading(t=0.0, device="gpu 0", memory_used=0, memory_total=free)
        return memory_forecast(plan(repair="lsq", batch_tokens=1024), LLAMA, [gpu]).calibration

    assert held(80 * GIB) == 16 * 8192**2 * 4
    assert held(weights + 3 * GIB) == 8192**2 * 4


def test_a_forecast_counts_what_looking_at_neurons_takes_and_the_measuring_of_damage():
    asked = plan()
    timings = {(asked.model, spec.name, asked.limit): 10.0 for spec in asked.tasks} | {
        (asked.model, "damage", None): 2.0
    }
    plain = forecast(asked, LLAMA, {}, timings, {}, {})
    repaired = forecast(plan(repair="lsq"), LLAMA, {}, timings, {}, {})
    assert plain.seconds is not None
    assert repaired.seconds is not None
    assert repaired.calibration is not None
    assert repaired.seconds == pytest.approx(plain.seconds + repaired.calibration.seconds)
    damaged = forecast(plan(damage=True), LLAMA, {}, timings, {}, {})
    assert damaged.tasks == plain.tasks + 1
    assert damaged.seconds == pytest.approx(plain.seconds + 2.0 * len(asked.levels))


def test_what_looking_at_neurons_took_before_counts_in_place_of_what_is_reckoned_and_once():
    asked = plan(repair="lsq")
    timings = {(asked.model, spec.name, asked.limit): 10.0 for spec in asked.tasks}
    told = {(asked.model, asked.looks): 7.0}
    seen = forecast(asked, LLAMA, {}, timings, {asked.model: 30.0}, told)
    assert seen.seconds == pytest.approx(30.0 + 2 * 10.0 + 7.0)
    assert seen.calibration is not None
    assert seen.calibration.seconds == pytest.approx(7.0)
    unread = forecast(asked, None, {}, timings, {asked.model: 30.0}, told)
    assert unread.seconds == seen.seconds
    plain = forecast(plan(), LLAMA, {}, timings, {asked.model: 30.0}, told)
    assert plain.seconds == pytest.approx(30.0 + 2 * 10.0)


@pytest.mark.parametrize(
    "changes", [{"method": "obs"}, {"calibration_tokens": 65_536}, {"calibration": "task:piqa"}, {"model": "n"}]
)
def test_another_way_of_looking_is_reckoned(changes):
    asked, other = plan(repair="lsq"), plan(repair="lsq", **changes)
    timings = {(other.model, spec.name, other.limit): 10.0 for spec in other.tasks}
    seen = forecast(other, LLAMA, {}, timings, {}, {(asked.model, asked.looks): 7000.0})
    assert seen.seconds is not None
    assert seen.seconds < 100


def test_fewer_tokens_than_the_neurons_need_are_refused():
    with pytest.raises(UserError, match="1,000 is too few for layers of 8,192 neurons: give at least 32,768"):
        calibration_forecast(plan(repair="lsq", calibration_tokens=1000), LLAMA)


def test_a_draft_says_it_all_and_its_command_equals_the_plan(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Once.")
    draft = Draft(
        model="demo", tasks="piqa", method="l2", repair="lsq", calibration=str(text), calibration_tokens="5_000",
        damage=True,
    )  # fmt: skip
    assert draft.problems() == {}
    planned = draft.plan()
    assert Draft.of(planned).plan() == planned
    assert f"--method l2 --repair lsq --calibration {text} --calibration-tokens 5000 --damage" in command(
        draft, Path("r.duckdb")
    )


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"calibration": "nowhere.txt", "repair": "lsq"}, "calibration", "There is no calibration text nowhere.txt"),
        ({"calibration_tokens": "lots", "repair": "lsq"}, "calibration_tokens", "'lots' is no number of tokens"),
        ({"calibration": "self"}, "calibration", "maw without repair looks at none"),
    ],
)
def test_a_draft_says_what_is_wrong_with_a_text(fields, field, said):
    problems = Draft(model="demo", tasks="piqa", **fields).problems()
    assert list(problems) == [field]
    assert said in problems[field]
