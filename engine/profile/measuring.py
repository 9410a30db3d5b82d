"""One width under one workload: time, memory and energy of prefill and decode apart, as rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from engine.evaluation.lm import PrunedLM
from engine.inference.batching import is_out_of_memory, release_memory
from engine.inference.decode.kv_cache import cache_sizes
from engine.planning.profiling import LARGEST, Workload
from engine.profile import counting
from engine.profile.counting import Limit, Shape, Work
from engine.profile.energy import Energy, measured_energy
from engine.profile.largest import MOST_ON_CPU, forecast, largest
from engine.profile.machine import Machine
from engine.profile.own_session import OwnSession
from engine.profile.repeats import Summary, repeated
from engine.profile.session import CannotMeasureError, Session
from engine.profile.timing import Timer
from engine.profile.transformers_session import EagerSession, GraphSession
from engine.profile.vllm_bench import latency
from engine.pruning.activations import free_memory
from warehouse.records.measurements import MeasurementFacts
from warehouse.records.reading import Reading


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured of each level: a workload, and who answers it how."""

    workload: Workload
    engine: str
    mode: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A width as its weights lie now: `width` is exact or padded, to `padded_size` neurons a layer."""

    level: str
    width: str
    padded_size: int


class Measuring:
    """Measures whatever width the model has when it is asked.

    Args:
        seed: of the prompts' tokens, which are the same for all levels.
        check: called between repeats; may raise to stop.
        now: seconds on the clock by which repeats end.
        free: bytes that a device has left.
        fits: the largest batches that are known: they are looked for once, so that all rounds measure the same.
    """

    def __init__(
        self,
        lm: PrunedLM,
        machine: Machine,
        timer: Timer,
        *,
        seed: int,
        check: Callable[[], None],
        now: Callable[[], float] = time.perf_counter,
        free: Callable[[torch.device], int] = free_memory,
        fits: Mapping[tuple[Setting, Subject], int] | None = None,
    ) -> None:
        self._lm, self._machine, self._timer, self._check = lm, machine, timer, check
        self._seed, self._now, self._free = seed, now, free
        self._fits = dict(fits or {})
        self._on_gpu = lm.model.device.type == "cuda"

    def measure(
        self, setting: Setting, subject: Subject, number: int, *, seconds: float, energy: bool
    ) -> list[MeasurementFacts]:
        """The rows of one visit, of round `number`, within about so many seconds; what cannot be says why.

        Raises:
            RuntimeError: the model fails in a way that is not known.
        """
        rows = self.rows(setting, subject, number)
        request = setting.workload
        if request.prompt_tokens + request.new_tokens > self._lm.max_length:
            return rows.missing(f"the model's context is {self._lm.max_length} tokens")
        held = self._held()
        try:
            if setting.engine == "vllm":
                return self._by_vllm(setting, subject, rows)
            if request.batch == LARGEST:
                if (setting, subject) not in self._fits:
                    self._fits[setting, subject] = self._largest(setting)
                request = replace(request, batch=self._fits[setting, subject])
                rows.batch = request.batch
            session = self._session(replace(setting, workload=request))
            found = list(self._visit(session, request, rows, held, seconds, energy=energy))
        except CannotMeasureError as error:
            return rows.missing(str(error))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            found = rows.missing("it does not fit into the memory")
        release_memory()
        return found

    def rows(self, setting: Setting, subject: Subject, number: int) -> Rows:
        """Of a visit, with as many requests at a time as it has, or is known to hold."""
        rows = Rows(setting, subject, number, self._machine.facts.timer)
        rows.batch = setting.workload.batch or self._fits.get((setting, subject))
        return rows

    def _by_vllm(self, setting: Setting, subject: Subject, rows: Rows) -> list[MeasurementFacts]:
        """Whole requests: its command tells prefill and decode not apart, and no energy."""
        model: Any = self._lm.model
        full = model.config.get_text_config().intermediate_size
        eager, width = setting.mode == "eager", subject.padded_size
        took = latency(model, self._lm.tokenizer, setting.workload, eager=eager, width=width, full=full)
        return rows.whole(took)

    def shape(self) -> Shape:
        """Of the model at the width that it has now."""
        model: Any = self._lm.model
        total = sum(parameter.numel() for parameter in model.parameters())
        embedding = model.get_input_embeddings().weight
        output: Any = model.get_output_embeddings()
        tied = output is None or output.weight is embedding
        head = embedding.numel() if output is None or tied else output.weight.numel()
        config = model.config.get_text_config()
        layers, heads, head_dim = cache_sizes(model)
        return Shape(
            body=total - embedding.numel() - (0 if tied else head),
            head=head,
            cache_values=2 * layers * heads * head_dim,
            attended=layers * config.num_attention_heads * head_dim,
            itemsize=model.dtype.itemsize,
        )

    def weights_bytes(self) -> int:
        """Of all parameters and buffers at the width that the model has now, tied ones once."""
        model: Any = self._lm.model
        tensors = [*model.parameters(), *model.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def _visit(
        self, session: Session, request: Workload, rows: Rows, held: int, seconds: float, *, energy: bool
    ) -> Iterator[MeasurementFacts]:
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
        session.prefill()  # warm-up: kernels chosen, memory taken, the step captured
        session.decode(_unmarked)
        self._timer.finish()
        self._check()
        yield rows.memory(torch.cuda.max_memory_allocated() - held if self._on_gpu else None)
        before = self._machine.reading()
        share = seconds / (4 if energy and self._machine.source is not None else 2)
        again = partial(repeated, seconds=share, now=self._now, check=self._check)
        first = again(lambda: self._timed(lambda mark: (session.prefill(), mark())))
        session.decode(_unmarked)  # a step may be captured anew for each cache that is filled
        steps = again(lambda: self._timed(session.decode))
        after = self._machine.reading()
        held_down = _held_down(before, after)
        shape, batch = self.shape(), request.batch
        limits = self._limit(counting.prefill_work(shape, request.prompt_tokens, batch), first.mean)
        step_limits = self._limit(counting.step_work(shape, counting.mean_context(request), batch), steps.mean)
        yield from rows.times(first, steps, request, limits, step_limits, held_down)
        yield from rows.device(before, after)
        if energy:
            yield from self._energy(session, request, rows, share)

    def _energy(self, session: Session, request: Workload, rows: Rows, share: float) -> Iterator[MeasurementFacts]:
        source, facts = self._machine.source, self._machine.facts
        tokens = {
            "prefill": counting.tokens_in(request, request.batch),
            "decode": request.batch * counting.decode_steps(request),
        }
        work = {"prefill": session.prefill, "decode": lambda: session.decode(_unmarked)}
        for phase, once in work.items():
            once()
            if source is None:
                joules = Energy(None, None, facts.energy_missing)
            else:
                joules = measured_energy(
                    source,
                    once,
                    self._timer.finish,
                    seconds=max(share, self._machine.window),
                    idle=facts.idle_power,
                    check=self._check,
                )
            yield from rows.energy(phase, joules, tokens[phase], facts)

    def _timed(self, work: Callable[[Callable[[], None]], object]) -> list[float]:
        self._timer.start()
        work(self._timer.mark)
        return self._timer.seconds()

    def _limit(self, work: Work, seconds: float) -> Limit | None:
        facts = self._machine.facts
        return counting.limit(work, seconds, facts.copy_rate, facts.matrix_rate)

    def _held(self) -> int:
        """Bytes on the GPU that are no part of this width: the other neurons, and what the run keeps."""
        return torch.cuda.memory_allocated() - self.weights_bytes() if self._on_gpu else 0

    def _session(self, setting: Setting) -> Session:
        request, model = setting.workload, self._lm.model
        prompts = self._prompts(request)
        captures = setting.mode == "graphs"
        if setting.engine == "ours":
            return OwnSession(self._lm, prompts, request.new_tokens, captures=captures)
        if captures:
            return GraphSession(model, prompts, request.new_tokens)
        return EagerSession(model, prompts, request.new_tokens)

    def _prompts(self, request: Workload) -> Tensor:
        vocabulary = self._lm.model.get_input_embeddings().weight.shape[0]
        drawn = torch.Generator().manual_seed(self._seed)
        prompts = torch.randint(vocabulary, (request.batch, request.prompt_tokens), generator=drawn)
        return prompts.to(self._lm.model.device)

    def _largest(self, setting: Setting) -> int:
        """How many requests fit: on a GPU found by trying; elsewhere forecast, for what is too much there takes the
        whole machine down.

        Raises:
            CannotMeasureError: not one does.
        """
        request, config = setting.workload, self._lm.model.config.get_text_config()
        likely = forecast(
            self._free(self._lm.model.device),
            self.shape(),
            request,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            vocab_size=self._lm.vocab_size,
        )
        if not self._on_gpu:
            if not likely:
                raise CannotMeasureError("not one request is forecast to fit into the memory")
            return min(likely, MOST_ON_CPU)

        def goes(batch: int) -> bool:
            self._check()
            return self._goes(replace(setting, workload=replace(request, batch=batch)))

        if not (found := largest(likely, goes)):
            raise CannotMeasureError("not one request was found to fit into the memory")
        return found

    def _goes(self, setting: Setting) -> bool:
        try:
            session = self._session(setting)
            session.prefill()
            session.decode(lambda: None)
            self._timer.finish()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            goes = False
        else:
            goes = True
        release_memory()
        return goes


class Rows:
    """The rows of a visit: what is the same in all of them is said once."""

    def __init__(self, setting: Setting, subject: Subject, number: int, timer: str | None = None) -> None:
        self.setting, self.subject, self.number, self._timer = setting, subject, number, timer
        self.batch: int | None = setting.workload.batch or None

    def row(self, quantity: str, unit: str, phase: str, **values: Any) -> MeasurementFacts:
        request = self.setting.workload
        return MeasurementFacts(
            workload=request.name,
            batch_size=self.batch,
            quantity=quantity,
            unit=unit,
            round=self.number,
            phase=phase,
            engine=self.setting.engine,
            mode=self.setting.mode,
            width=self.subject.width,
            padded_size=self.subject.padded_size,
            prompt_tokens=request.prompt_tokens,
            new_tokens=request.new_tokens,
            **({"mean": None} | values),
        )

    def missing(self, why: str) -> list[MeasurementFacts]:
        return [
            self.row("time_to_first_token", "ms", "prefill", note=why),
            self.row("time_per_output_token", "ms", "decode", note=why),
        ]

    def times(
        self,
        first: Summary,
        steps: Summary,
        request: Workload,
        limits: Limit | None,
        step_limits: Limit | None,
        held_down: str | None,
    ) -> Iterator[MeasurementFacts]:
        for quantity, phase, found, limit in (
            ("time_to_first_token", "prefill", first, limits),
            ("time_per_output_token", "decode", steps, step_limits),
        ):
            notes = "; ".join(filter(None, (found.note, held_down))) or None
            bound = {} if limit is None else {"limit_share": limit.share, "limited_by": limit.by}
            yield self.row(
                quantity, "ms", phase, source=self._timer, **_spread(found.scaled(1e3)), **bound | {"note": notes}
            )
        batch = request.batch
        whole = first.mean + counting.decode_steps(request) * steps.mean
        yield self.row(
            "throughput", "tokens/s", "prefill", mean=counting.tokens_in(request, batch) / first.mean, n=first.n
        )
        yield self.row("throughput", "tokens/s", "decode", mean=batch / steps.mean, n=steps.n)
        yield self.row("throughput", "tokens/s", "both", mean=counting.tokens_out(request, batch) / whole, n=first.n)

    def whole(self, took: Summary) -> list[MeasurementFacts]:
        request = self.setting.workload
        tokens = counting.tokens_out(request, request.batch)
        source = "vllm bench latency"
        return [
            self.row("time_to_last_token", "ms", "both", source=source, **_spread(took.scaled(1e3))),
            self.row("throughput", "tokens/s", "both", source=source, mean=tokens / took.mean, n=took.n),
        ]

    def memory(self, peak: int | None) -> MeasurementFacts:
        if peak is None:
            return self.row("peak_memory", "bytes", "both", note="a CPU's allocator does not tell its peak")
        return self.row("peak_memory", "bytes", "both", mean=float(peak), n=1, source="torch's allocator")

    def device(self, before: Reading | None, after: Reading | None) -> Iterator[MeasurementFacts]:
        """How the device stood at both ends of the timing."""
        for quantity, unit, name in (("clock", "MHz", "clock"), ("temperature", "°C", "temperature")):
            values = [getattr(one, name) for one in (before, after) if one is not None]
            known = [float(value) for value in values if value is not None]
            if known:
                yield self.row(
                    quantity, unit, "both", mean=sum(known) / len(known), min=min(known), max=max(known), n=len(known),
                    source="NVML",
                )  # fmt: skip

    def energy(self, phase: str, joules: Energy, tokens: int, facts: Any) -> Iterator[MeasurementFacts]:
        """`joules_per_token` is net, as the study's."""
        source = facts.energy_source
        if joules.raw is not None:
            raw = joules.raw / tokens
            yield self.row("joules_per_token_raw", "J/token", phase, mean=raw, source=source)
        net = None if joules.net is None else joules.net / tokens
        why = (joules.missing or facts.energy_missing) if net is None else None
        yield self.row("joules_per_token", "J/token", phase, mean=net, source=source, note=why)


def _spread(found: Summary) -> dict[str, Any]:
    names = ("mean", "std", "min", "max", "p50", "p90", "p99", "half_width", "n")
    return {name: getattr(found, name) for name in names}


def _unmarked() -> None:
    """A step that is not timed."""


def _held_down(before: Reading | None, after: Reading | None) -> str | None:
    reasons = sorted({one.throttled for one in (before, after) if one is not None and one.throttled})
    return f"clocks were held down by {' and '.join(reasons)}" if reasons else None
