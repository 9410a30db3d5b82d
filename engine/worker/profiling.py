"""What --profile adds to a run: after its cells, what every level costs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from engine.evaluation.lm import PrunedLM
from engine.inference.batching import release_memory
from engine.planning.plan import RunPlan
from engine.planning.profiling import LARGEST, ProfilePlan
from engine.profile.machine import Machine, measured_machine
from engine.profile.measuring import Measuring, Setting, Subject
from engine.profile.repeats import summary
from engine.profile.timing import timer_of
from engine.pruning.ladder import Ladder, padded_size
from engine.runs.rundir import RunDir
from engine.worker.recorder import Recorder
from engine.worker.stopping import StopFlag
from warehouse.records.events import Measured
from warehouse.records.facts import VariantFacts
from warehouse.records.measurements import MeasurementFacts

FILE_NAME = "profile.safetensors"
_LOADS = 3
Key = tuple[str, str, str | None, str | None, str | None, int | None]


@dataclass(frozen=True, slots=True)
class _Visit:
    setting: Setting
    round: int
    variant: VariantFacts
    subject: Subject

    @property
    def key(self) -> Key:
        setting = self.setting
        return (
            self.variant.level, setting.workload.name, setting.engine, setting.mode,
            self.subject.width, self.round,
        )  # fmt: skip


class Profiling:
    """Goes through settings, rounds and widths; what an earlier attempt measured is left out."""

    def __init__(
        self,
        run: RunDir,
        plan: RunPlan,
        recorder: Recorder,
        stop: StopFlag,
        lm: PrunedLM,
        ladder: Ladder,
        variants: list[VariantFacts],
    ) -> None:
        assert plan.profile is not None
        self._asked: ProfilePlan = plan.profile
        self._run, self._recorder, self._stop = run, recorder, stop
        self._lm, self._ladder, self._variants = lm, ladder, variants
        self._seed = plan.seeds[0]
        self._on_gpu = lm.model.device.type == "cuda"
        self._ends_at = time.monotonic() + self._asked.total_seconds(on_gpu=self._on_gpu)

    def __call__(self) -> int:
        """Returns the number of figures that failed for a reason that is not known.

        Raises:
            StopRequested: between two repeats, when asked to stop.
            OSError: the journal cannot be written.
        """
        known = self._known()
        visits = [visit for visit in self._visits() if visit.key not in known]
        weighed = [subject for subject in self._subjects() if not self._is_weighed(*subject)]
        if not visits and not weighed:
            return 0
        with self._recorder.stage("measure machine"):
            machine = measured_machine(
                self._lm.model.device, self._lm.model.dtype, energy=self._asked.energy, check=self._stop.check
            )
            self._recorder.record(machine.facts)
        for why in filter(None, (machine.facts.energy_missing, machine.facts.rates_missing)):
            self._recorder.log(f"Of the profile is missing: {why}.", "warning")
        failed = 0
        measuring = self._measuring(machine)
        with self._recorder.stage("profile", total=len(visits), unit="measurements") as report:
            for done, visit in enumerate(visits):
                self._stop.check()
                report(done, len(visits))
                failed += self._visit(visit, measuring, left=len(visits) - done)
        self._weigh(measuring, weighed)
        machine.meter.close()
        return failed

    def _measuring(self, machine: Machine) -> Measuring:
        timer = timer_of(self._lm.model.device)
        return Measuring(self._lm, machine, timer, seed=self._seed, check=self._stop.check, fits=self._fits())

    def _fits(self) -> dict[tuple[Setting, Subject], int]:
        """The largest batches that earlier attempts found: all rounds measure the same."""
        open_ended = {one.name: one for one in self._asked.requests(on_gpu=self._on_gpu) if one.batch == LARGEST}
        return {
            (Setting(open_ended[row.workload], row.engine or "", row.mode or ""), subject): row.batch_size
            for variant, subject in self._subjects()
            for row in self._recorder.history.measured.get(variant.level, ())
            if row.workload in open_ended and row.width == subject.width and row.batch_size
        }

    def _visit(self, visit: _Visit, measuring: Measuring, *, left: int) -> int:
        rest = self._ends_at - time.monotonic()
        each = self._asked.each_seconds(on_gpu=self._on_gpu)
        if rest <= 0:
            total = self._asked.total_seconds(on_gpu=self._on_gpu)
            why = f"the bound of {total:g} s for the whole profile came first"
            self._record(visit, measuring.rows(visit.setting, visit.subject, visit.round).missing(why))
            return 0
        failed = 0
        with self._at(visit.variant, visit.subject):
            try:
                rows = measuring.measure(
                    visit.setting,
                    visit.subject,
                    visit.round,
                    seconds=min(each, rest / left),
                    energy=self._asked.energy and visit.round == 1,
                )
            except torch.AcceleratorError:
                raise  # the CUDA context is gone: every later figure would fail for the same reason
            except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
                why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                level, setting = visit.variant.level, visit.setting
                self._recorder.log(
                    f"Level {level} has no figure for {setting.workload.name}, {setting.engine}, {setting.mode}: {why}",
                    "error",
                )
                rows, failed = measuring.rows(setting, visit.subject, visit.round).missing(why), 1
                release_memory()
        self._record(visit, rows)
        return failed

    def _record(self, visit: _Visit, rows: list[MeasurementFacts]) -> None:
        self._recorder.record(Measured(level=visit.variant.level, measurements=rows))

    def _visits(self) -> Iterator[_Visit]:
        """Round by round, so that the bound leaves out later rounds first; in each setting by setting, so that what is
        compared is measured close together; levels in a new order each time.
        """
        modes = ("eager", "graphs") if self._on_gpu else ("eager",)
        drawn = random.Random(self._seed)
        subjects = self._subjects()
        settings = list(product(self._asked.requests(on_gpu=self._on_gpu), self._asked.engines, modes))
        for number in range(1, self._asked.rounds + 1):
            for workload, engine, mode in settings:
                for variant, subject in drawn.sample(subjects, len(subjects)):
                    yield _Visit(Setting(workload, engine, mode), number, variant, subject)

    def _subjects(self) -> list[tuple[VariantFacts, Subject]]:
        """Each width as it is, and padded where that is another one."""
        found: list[tuple[VariantFacts, Subject]] = []
        for variant in self._variants:
            padded = padded_size(variant.width, self._ladder.full_size, self._asked.pad_to)
            found.append((variant, Subject(variant.level, "exact", variant.width)))
            if padded != variant.width:
                found.append((variant, Subject(variant.level, "padded", padded)))
        return found

    def _at(self, variant: VariantFacts, subject: Subject) -> Any:
        self._ladder.set_width(variant.width, pad_to=1 if subject.width == "exact" else self._asked.pad_to)
        return self._ladder.as_shipped()

    def _known(self) -> set[Key]:
        measured = self._recorder.history.measured
        return {
            (level, row.workload, row.engine, row.mode, row.width, row.round)
            for level, rows in measured.items()
            for row in rows
        }  # fmt: skip

    def _is_weighed(self, variant: VariantFacts, subject: Subject) -> bool:
        return any(
            row.quantity == "weights" and row.width == subject.width
            for row in self._recorder.history.measured.get(variant.level, ())
        )

    def _weigh(self, measuring: Measuring, subjects: list[tuple[VariantFacts, Subject]]) -> None:
        """Bytes of every width's weights, and how long they take from a file to the device."""
        with self._recorder.stage("load levels", total=len(subjects), unit="levels") as report:
            for done, (variant, subject) in enumerate(subjects):
                self._stop.check()
                report(done, len(subjects))
                with self._at(variant, subject):
                    about: dict[str, Any] = {
                        "workload": "load", "batch_size": None, "phase": "load", "width": subject.width,
                        "padded_size": subject.padded_size,
                    }  # fmt: skip
                    size = measuring.weights_bytes()
                    rows = [
                        MeasurementFacts(quantity="weights", unit="bytes", mean=float(size), n=1, **about),
                        MeasurementFacts(quantity="load_time", unit="s", **self._load(size), **about),
                    ]
                self._recorder.record(Measured(level=variant.level, measurements=rows))

    def _load(self, size: int) -> dict[str, Any]:
        path: Path = self._run.path / FILE_NAME
        if self._ends_at <= time.monotonic():
            return {"mean": None, "note": "the bound for the whole profile came first"}
        if shutil.disk_usage(path.parent).free < 2 * size:
            return {"mean": None, "note": "the disk has no room for the level's weights"}
        device = self._lm.model.device
        try:
            save_file({name: one.detach().contiguous().cpu() for name, one in self._lm.model.named_parameters()}, path)
            times = [_loading(path, device) for _ in range(_LOADS)]
        finally:
            path.unlink(missing_ok=True)
        found = summary(times)
        return {
            "mean": found.mean, "std": found.std, "min": found.min, "max": found.max, "n": found.n,
            "half_width": found.half_width, "source": "perf_counter", "note": "from the page cache",
        }  # fmt: skip


def _loading(path: Path, device: torch.device) -> float:
    begin = time.perf_counter()
    load_file(path, device=str(device))
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin
