"""What memory a run is said to need, on which device, and what is advised where that is too much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.planning.memory import CPU_CACHE, CPU_SEQUENCES, GPU_SEQUENCES
from engine.planning.memory_forecast import memory_forecast
from engine.planning.plan import RunPlan
from engine.planning.preview import Shape
from engine.planning.suites import TaskSpec
from warehouse.records.level import Level
from warehouse.records.reading import Reading

GIB = 2**30
LLAMA = Shape(
    model_type="llama", hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, vocab_size=128_256,
    parameters=1_235_814_400, parameters_per_neuron=98_304, fused=False, cache_per_token=16_384, dtype="bfloat16",
    device="cuda",
)  # fmt: skip
PLAN = RunPlan(name="x", model="x", levels=(Level.parse("0"),), tasks=(TaskSpec("piqa"),))


def machine(*gpus: int | None, cpu: int = 64) -> list[Reading]:
    """GPUs, and a machine, with so many GiB free; None is not told."""
    found = [
        Reading(t=0.0, device=f"gpu {index}")
        if free is None
        else Reading(t=0.0, device=f"gpu {index}", memory_used=0, memory_total=free * GIB)
        for index, free in enumerate(gpus)
    ]
    return [*found, Reading(t=0.0, device="cpu", memory_used=0, memory_total=cpu * GIB)]


@pytest.fixture(autouse=True)
def _all_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_run_on_a_large_gpu_takes_the_largest_batches():
    seen = memory_forecast(PLAN, LLAMA, machine(139))
    assert (seen.place, seen.free, seen.tokens) == ("GPU 0", 139 * GIB, 131_072)
    assert seen.needed / GIB == pytest.approx(10.14, rel=0.03)  # as measured on an H200
    assert seen.advice is None


def test_on_a_small_gpu_the_batches_follow_what_the_weights_leave():
    seen = memory_forecast(PLAN, LLAMA, machine(8))
    assert seen.tokens < 32_768
    assert seen.needed < 8 * GIB
    assert seen.advice is None


def test_a_model_over_two_gpus_has_half_of_its_weights_on_each_and_the_smaller_one_counts():
    seen = memory_forecast(replace(PLAN, cards=2), LLAMA, machine(8, 6))
    assert (seen.place, seen.free, seen.weights) == ("each of 2 GPUs", 6 * GIB, LLAMA.parameters)
    large = replace(LLAMA, parameters=50 * LLAMA.parameters)  # 115 GiB
    alone = memory_forecast(PLAN, large, machine(80, 80, 80))
    assert alone.advice is not None
    assert "the run fits with --cards 2 (its layers on 2 GPUs, without graphs)" in alone.advice
    assert memory_forecast(replace(PLAN, cards=2), large, machine(80, 80, 80)).advice is None


def test_on_a_cpu_weights_are_float32_batches_short_and_the_libraries_count():
    seen = memory_forecast(replace(PLAN, device="cpu"), LLAMA, machine(139))
    assert (seen.place, seen.free, seen.tokens) == ("this machine", 64 * GIB, 4096)
    assert seen.weights == 4 * LLAMA.parameters
    assert seen.libraries > 0
    assert seen.needed == seen.weights + seen.working + seen.libraries


def test_what_the_demo_was_seen_to_take_on_a_cpu_is_foretold():
    demo = Shape(
        model_type="llama", hidden_size=128, intermediate_size=512, num_hidden_layers=6, vocab_size=1024,
        parameters=1_558_144, parameters_per_neuron=2304, fused=False, cache_per_token=384, dtype="bfloat16",
        device="cpu",
    )  # fmt: skip
    seen = memory_forecast(PLAN, demo, machine())
    assert seen.needed / 2**20 == pytest.approx(580, rel=0.1)  # as the recorded demo run's worker held


def test_auto_is_the_device_that_torch_sees():
    assert memory_forecast(PLAN, replace(LLAMA, device="cpu"), machine(139)).place == "this machine"


@pytest.mark.parametrize(
    ("visible", "device", "place"),
    [(None, "cuda:1", "GPU 1"), ("1", "cuda", "GPU 1"), ("2,0", "cuda:1", "GPU 0"), ("GPU-4f2a", "cuda", "the GPU")],
)
def test_gpus_are_those_that_cuda_is_shown(visible, device, place, monkeypatch):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    seen = memory_forecast(replace(PLAN, device=device), LLAMA, machine(10, 20, 30))
    assert seen.place == place
    assert seen.free == {"GPU 0": 10 * GIB, "GPU 1": 20 * GIB, "the GPU": None}[place]


@pytest.mark.parametrize("readings", [machine(None), machine()], ids=["not told", "no such GPU"])
def test_what_is_not_known_to_be_free_is_no_reason_to_warn(readings):
    seen = memory_forecast(PLAN, LLAMA, readings, generates=True)
    assert (seen.free, seen.cache_limit, seen.advice) == (None, None, None)
    assert seen.tokens == 131_072


@pytest.mark.parametrize(
    ("changes", "free", "advice"),
    [
        ({"batch_tokens": 131_072}, 8, "GPU 0 lacks 2.3 GiB: the run fits with a batch of 65,536 tokens."),
        (
            {"batch_tokens": 131_072, "dtype": "float32"}, 12,
            "GPU 0 lacks 8.6 GiB: the run fits with a batch of 32,768 tokens or with dtype bfloat16.",
        ),
        ({"dtype": "float32"}, 4, "GPU 0 lacks 873 MiB: the run fits with dtype bfloat16."),
        (
            {}, 2,
            "GPU 0 lacks 624 MiB: free some memory, or choose another device or a smaller model.",
        ),
    ],
    ids=["batch", "batch or dtype", "dtype", "nothing"],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_what_helps(changes, free, advice):
    assert memory_forecast(replace(PLAN, **changes), LLAMA, machine(free)).advice == advice


def test_what_is_advised_fits():
    small = machine(8)
    assert memory_forecast(replace(PLAN, batch_tokens=65_536), LLAMA, small).advice is None


def test_text_generation_adds_a_cache_within_a_share_of_what_is_free():
    seen = memory_forecast(PLAN, LLAMA, machine(139), generates=True)
    assert seen.cache == GPU_SEQUENCES * 16_384 * 2
    assert seen.cache_limit == int(0.4 * (139 * GIB - seen.weights))
    assert memory_forecast(PLAN, LLAMA, machine(139)).cache == 0
    on_cpu = memory_forecast(replace(PLAN, device="cpu"), LLAMA, machine(139), generates=True)
    assert (on_cpu.cache, on_cpu.cache_limit) == (CPU_SEQUENCES * 16_384 * 4, CPU_CACHE)
