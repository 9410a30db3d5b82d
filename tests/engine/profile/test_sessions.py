"""Every engine writes what transformers' own generate writes, exact or padded, as often as it is asked."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from engine.demo.paths import MODEL_DIR
from engine.evaluation.lm import PrunedLM
from engine.planning.profiling import LARGEST, Workload
from engine.profile import measuring as measuring_module
from engine.profile.counting import decode_steps
from engine.profile.energy import Energy
from engine.profile.largest import MOST_ON_CPU
from engine.profile.measuring import Measuring, Rows, Setting, Subject
from engine.profile.own_session import OwnSession
from engine.profile.session import CannotMeasureError, Mark
from engine.profile.timing import ClockTimer
from engine.profile.transformers_session import EagerSession, GraphSession
from engine.profile.vllm_bench import latency
from engine.pruning.ladder import Ladder
from warehouse.records.reading import Reading

REQUEST = Workload.plain(3, 20, 6)


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(MODEL_DIR, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def lm(model: PreTrainedModel) -> PrunedLM:
    return PrunedLM(model, AutoTokenizer.from_pretrained(MODEL_DIR))


@pytest.fixture(scope="module")
def prompts() -> Tensor:
    return torch.randint(3, 1000, (3, 20), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def written(model: PreTrainedModel, prompts: Tensor) -> list[int]:
    """The last of six new tokens of each prompt, by transformers' generate."""
    made = model.generate(  # pyright: ignore[reportCallIssue]
        prompts, max_new_tokens=6, min_new_tokens=6, do_sample=False, eos_token_id=None,
        attention_mask=torch.ones_like(prompts),
    )  # fmt: skip
    return made[:, -1].tolist()


@pytest.mark.parametrize("kind", ["eager", "static", "ours"])
def test_a_session_writes_what_generate_writes(
    kind: str, model: PreTrainedModel, lm: PrunedLM, prompts: Tensor, written: list[int]
) -> None:
    session = {
        "eager": lambda: EagerSession(model, prompts, 6),
        "static": lambda: GraphSession(model, prompts, 6, captures=False),
        "ours": lambda: OwnSession(lm, prompts, 6, captures=False),
    }[kind]()
    marks: list[None] = []
    for _ in range(2):  # a prefill begins anew
        session.prefill()
        for _ in range(2):  # and steps go back to its end
            session.decode(lambda: marks.append(None))
            assert session.written().tolist() == written
    assert len(marks) == 4 * decode_steps(REQUEST)


def test_a_checkpoint_lies_without_gaps_and_computes_the_same(model: PreTrainedModel, prompts: Tensor) -> None:
    ladder = Ladder(model, method="maw", seed=0)
    down = model.get_submodule("model.layers.0.mlp.down_proj").get_parameter("weight")
    told = []
    with torch.no_grad():
        for pad_to in (1, 64):
            ladder.set_width(300, pad_to=pad_to)
            assert not down.is_contiguous()
            with ladder.as_shipped():
                assert down.is_contiguous()
                assert down.shape[1] == {1: 300, 64: 320}[pad_to]
                told.append(model(prompts).logits)
            assert not down.is_contiguous()
    torch.testing.assert_close(*told, rtol=1e-4, atol=1e-4)
    ladder.set_width(512)


def test_the_shape_counts_what_the_model_has(model: PreTrainedModel, lm: PrunedLM) -> None:
    measuring = Measuring.__new__(Measuring)
    measuring._lm = lm
    shape = measuring.shape()
    assert shape.head == 1024 * 128  # tied: the embedding is read as the last layer
    assert shape.body + shape.head == sum(one.numel() for one in model.parameters())
    assert (shape.cache_values, shape.attended) == (2 * 6 * 2 * 16, 6 * 8 * 16)


def test_on_a_cpu_the_largest_batch_is_what_the_memory_is_forecast_to_hold(lm: PrunedLM) -> None:
    """The demo: 6 layers, 2 × 16 values of keys and of values, 128 hidden, 512 neurons, 1024 tokens, in float32."""
    of_one = 40 * (2 * 6 * 2 * 16) * 4 + 32 * (8 * 128 + 3 * 512) * 4 + 1024 * (4 + 4)
    request = Workload.plain(LARGEST, 32, 8)
    free = [3 * of_one / 0.9 + 1]
    nothing: Any = None
    measuring = Measuring(lm, nothing, nothing, seed=0, check=lambda: None, free=lambda device: int(free[0]))
    setting = Setting(request, "ours", "eager")
    assert measuring._largest(setting) == 3
    free[0] = 10**12
    assert measuring._largest(setting) == MOST_ON_CPU
    free[0] = of_one
    with pytest.raises(CannotMeasureError, match="not one request is forecast to fit into the memory"):
        measuring._largest(setting)


class Capturing:
    """Steps of a second on a simulated clock, the first after each prefill of a minute."""

    def __init__(self) -> None:
        self.now = 0.0
        self._captured = False

    def prefill(self) -> None:
        self.now += 2
        self._captured = False

    def decode(self, mark: Mark) -> None:
        for _ in range(5):
            self.now += 1 if self._captured else 60
            self._captured = True
            mark()

    def written(self) -> Tensor:
        raise NotImplementedError


def test_what_a_capture_takes_is_no_step(lm: PrunedLM, monkeypatch: pytest.MonkeyPatch) -> None:
    session, cpu = Capturing(), torch.device("cpu")
    source: Any = SimpleNamespace(kind="power", name="a meter")
    facts: Any = SimpleNamespace(copy_rate=None, matrix_rate=None, idle_power=None, energy_source="a meter")
    machine: Any = SimpleNamespace(source=source, facts=facts, window=1.0, reading=Reading)
    told: list[float] = []

    def measured(source: Any, once: Callable[[], object], *rest: Any, **options: Any) -> Energy:
        before = session.now
        once()
        told.append(session.now - before)
        return Energy(None, None, "not read")

    monkeypatch.setattr(measuring_module, "measured_energy", measured)
    timer = ClockTimer(cpu, now=lambda: session.now)
    measuring = Measuring(lm, machine, timer, seed=0, check=lambda: None, now=lambda: session.now)
    rows = Rows(Setting(REQUEST, "ours", "graphs"), Subject("40", "exact", 300), 1, "clock")
    found = {row.quantity: row for row in measuring._visit(session, REQUEST, rows, 0, 8.0, energy=True)}
    assert (found["time_per_output_token"].max, found["time_to_first_token"].mean) == (1000, 2000)
    assert told == [2, 5]


def test_what_cannot_be_is_two_rows_with_the_reason() -> None:
    setting = Setting(Workload.plain(1, 8192, 32), "transformers", "eager")
    rows = Rows(setting, Subject("40", "exact", 300), 1).missing("it does not fit into the memory")
    assert [(row.quantity, row.mean, row.note, row.width, row.padded_size) for row in rows] == [
        ("time_to_first_token", None, "it does not fit into the memory", "exact", 300),
        ("time_per_output_token", None, "it does not fit into the memory", "exact", 300),
    ]


def test_vllm_is_asked_by_its_own_command(
    model: PreTrainedModel, lm: PrunedLM, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotMeasureError, match="vLLM is not installed"):
        latency(model, lm.tokenizer, REQUEST, eager=True, width=512, full=512)
    stand_in = tmp_path / "vllm"
    stand_in.write_text(
        '#!/bin/sh\necho "$@" >"$0.asked"\n'
        "while [ $# -gt 1 ]; do case $1 in --model) model=$2 ;; --output-json) into=$2 ;; esac; shift; done\n"
        '[ -e "$model/config.json" ] && echo \'{"latencies": [0.5, 0.7]}\' >"$into"\n'
    )
    stand_in.chmod(0o755)
    found = latency(model, lm.tokenizer, REQUEST, eager=True, width=512, full=512)
    assert (found.mean, found.n) == (pytest.approx(0.6), 2)
    asked = (tmp_path / "vllm.asked").read_text()
    assert "bench latency" in asked
    assert "--input-len 20 --output-len 6 --batch-size 3" in asked
    assert "--enforce-eager" in asked
