"""A run as it is being typed: checked field by field, and turned into a plan and into the command that equals it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engine import settings
from engine.errors import UserError
from engine.planning.asked import DEFAULT_LEVELS, Asked, plans_of
from engine.planning.choices import (
    FIELDS,
    chosen_calibration,
    chosen_levels,
    chosen_tasks,
    task_folders,
)
from engine.planning.methods import DEFAULT_METHOD
from engine.planning.plan import RunPlan
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import SUITES, TaskSpec, suite
from engine.planning.sweep_text import shared_and_own
from engine.planning.where import LOCAL, Alone, Where
from warehouse.records.conditions import DEFAULT_SEEDS, Seeds, parse_seeds, seeds_text, short_seeds
from warehouse.records.names import short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the fields hold, as text; models, methods and repairs with commas between them.

    `called` is what a sweep without a name is called, as by its file. `like` is a plan whose other settings are kept,
    `kept` are those of a sweep file that have no field, and `own` what its models have each of their own, all by the
    fields of `Asked`.
    """

    model: str = ""
    method: str = DEFAULT_METHOD
    repair: str = "none"
    calibration: str = ""
    calibration_tokens: str = ""
    damage: bool = False
    profile: bool = False
    levels: str = DEFAULT_LEVELS
    suite: str = ""
    tasks: str = ""
    shots: str = ""
    limit: str = ""
    include_paths: str = ""
    dtype: str = "auto"
    device: str = "auto"
    batch_tokens: str = ""
    compile_layers: bool = False
    trust_task_code: bool = False
    seeds: str = ""
    name: str = ""
    called: str = ""
    on: str = ""
    gpus: str = ""
    alone: Alone = "finish"
    like: RunPlan | None = None
    kept: Mapping[str, Any] = field(default_factory=dict[str, Any])
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    @classmethod
    def settled(cls) -> Draft:
        """An empty one, but for what the person settled once; a suite that is none is left to be chosen."""
        wanted = settings.suite()
        return cls(device=settings.device(), suite=wanted if wanted in SUITES else "")

    @classmethod
    def of(cls, plan: RunPlan) -> Draft:
        by_suite = plan.suite in SUITES and suite(plan.suite) == plan.tasks
        return cls(
            model=plan.model,
            method=plan.method,
            repair=plan.repair,
            calibration=plan.calibration or "",
            calibration_tokens="" if plan.calibration_tokens is None else str(plan.calibration_tokens),
            damage=plan.damage,
            profile=plan.profile is not None,
            levels=",".join(str(level) for level in plan.levels),
            suite=plan.suite or "" if by_suite else "",
            tasks="" if by_suite else ",".join(str(task) for task in plan.tasks),
            limit="" if plan.limit is None else f"{plan.limit:g}",
            include_paths=", ".join(plan.include_paths),
            dtype=plan.dtype,
            device=plan.device,
            batch_tokens="" if plan.batch_tokens is None else str(plan.batch_tokens),
            compile_layers=plan.compile_layers,
            trust_task_code=plan.trust_task_code,
            seeds="" if plan.seeds == DEFAULT_SEEDS else short_seeds(plan.seeds),
            name=plan.name,
            like=plan,
        )

    def problems(self, known: Collection[str] = ()) -> dict[str, str]:
        """What is wrong, by field; `known` are the tasks there are, empty where that is not known yet."""
        found: dict[str, str] = {}
        checks: dict[str, Callable[[], object]] = {
            "model": self._models,
            "levels": lambda: chosen_levels(self.levels, FIELDS),
            "calibration": self._calibration,
            "calibration_tokens": self._calibration_tokens,
            "tasks": lambda: self._known_tasks(known),
            "shots": self._shots,
            "limit": self._limit,
            "include_paths": self._folders,
            "device": self._device,
            "batch_tokens": self._batch_tokens,
            "seeds": self._seeds,
            "on": self._on,
            "gpus": self.where,
        }
        for name, check in checks.items():
            try:
                check()
            except UserError as error:
                found[name] = str(error)
        if not found:
            try:
                self.plan()
            except UserError as error:
                found["calibration" if self.calibration.strip() or self.calibration_tokens.strip() else "model"] = str(
                    error
                )
        return found

    def plan(self) -> RunPlan:
        """The only one, or the first. Errors as `plans`."""
        return self.plans()[0]

    def plans(self) -> list[RunPlan]:
        """A run for each model, method and repair; several are a sweep of the run's name.

        Raises:
            UserError: a field is wrong.
        """
        plans = plans_of(self.asked(), Path.cwd(), name=self.name.strip() or self.called or None, names=FIELDS)
        return plans if (own := self.own_profile) is None else [replace(plan, profile=own) for plan in plans]

    @property
    def own_profile(self) -> ProfilePlan | None:
        """That of `like`, if it is to be measured, and is not the usual one: no option of `run` says it."""
        theirs = self.like.profile if self.like is not None and self.profile else None
        return theirs if theirs != ProfilePlan() else None

    def asked(self) -> list[Asked]:
        """The same in the words of the options, for each model; what has no field is as `like` or a file has it.

        Raises:
            UserError: a field is wrong.
        """
        models, specs, folders = self._models(), self._tasks(), self._folders()
        suite_name = self.suite if self.suite and specs == suite(self.suite) else None
        shared = replace(
            Asked.like(self.like) if self.like is not None else Asked(model="", **self.kept),
            levels=self.levels,
            method=self.method,
            repair=self.repair,
            calibration=self._calibration(),
            calibration_tokens=self._calibration_tokens(),
            damage=self.damage,
            profile=self.profile,
            suite=suite_name,
            tasks=None if suite_name is not None else ",".join(map(str, specs)) or None,
            limit=self._limit(),
            include_path=tuple(folders),
            dtype=self.dtype,
            device=self._device(),
            batch_tokens=self._batch_tokens(),
            compile=self.compile_layers,
            trust_task_code=self.trust_task_code,
            seed=seeds_text(self._seeds()),
            name=self.name.strip() or None,
        )
        return [replace(shared, model=model, **self.own.get(model, {})) for model in models]

    def where(self) -> Where:
        """Raises:
        UserError: there is no such place.
        """
        return replace(self._on(), gpus=self.gpus.strip() or None)

    def _on(self) -> Where:
        return Where(on=self.on.strip() or LOCAL, alone=self.alone)

    @classmethod
    def of_asked(cls, asked: Sequence[Asked], *, name: str, where: Where) -> Draft:
        """What a sweep file asks for. What its models do not share is kept with each, and shown in no field."""
        shared, own = shared_and_own(asked)
        found = Asked(model="", **shared)
        limit = found.limit
        seeds = parse_seeds(found.seed)
        return cls(
            model=", ".join(one.model for one in asked),
            method=found.method,
            repair=found.repair,
            calibration=found.calibration or "",
            calibration_tokens="" if found.calibration_tokens is None else str(found.calibration_tokens),
            damage=found.damage,
            profile=found.profile,
            levels=found.levels,
            suite=found.suite or "",
            tasks=(found.tasks or "").replace(",", ", "),
            limit="" if limit is None else f"{limit:g}",
            include_paths=", ".join(map(str, found.include_path)),
            dtype=found.dtype,
            device=found.device,
            batch_tokens="" if found.batch_tokens is None else str(found.batch_tokens),
            compile_layers=found.compile,
            trust_task_code=found.trust_task_code,
            seeds="" if seeds == DEFAULT_SEEDS else short_seeds(seeds),
            name=found.name or "",
            called=name,
            on=where.on if where.is_cluster else "",
            gpus=where.gpus or "",
            alone=where.alone,
            kept={key: value for key, value in shared.items() if key in _WITHOUT_FIELD},
            own={one.model: beside for one, beside in zip(asked, own, strict=True) if beside},
        )

    def settings_apart(self) -> str:
        """What models have of their own, and what else has no field, in a line; empty where there is nothing."""
        models = [model.strip() for model in self.model.split(",")]
        told = [_settings(self.kept)] if self.kept and self.like is None else []
        told += ["a profile with settings of its own"] if self.own_profile is not None else []
        told += [f"{short_name(model)}: {_settings(own)}" for model, own in self.own.items() if model in models]
        return "; ".join(told)

    def _models(self) -> list[str]:
        names = [name.strip() for name in self.model.split(",") if name.strip()] or [""]
        models = [replace(self, model=name)._model() for name in names]
        if len(set(models)) < len(models):
            raise UserError("A model is named twice: name each once.")
        return models

    def _model(self) -> str:
        model = self.model.strip()
        if not model:
            raise UserError("No model was given: write a name on the hub, a folder, or demo.")
        path = Path(model).expanduser()
        if path.is_dir():
            return str(path)
        if path.is_file():
            raise UserError(f"{model} is a file: give the folder that holds config.json and the weights.")
        if model.startswith((".", "/", "~")) or model.count("/") > 1 or "\\" in model:
            raise UserError(f"There is no folder {model}: check the path.")
        return model

    def _calibration(self) -> str | None:
        return chosen_calibration(self.calibration.strip() or None)

    def _calibration_tokens(self) -> int | None:
        return _whole(self.calibration_tokens, "to follow the model and the device")

    def _named_tasks(self) -> tuple[TaskSpec, ...]:
        if not self.suite and not self.tasks.strip(" ,"):
            if self.profile:  # what levels cost can be measured alone
                return ()
            raise UserError("No task was given: choose a suite, or name tasks such as piqa, gsm8k@5.")
        return chosen_tasks(self.suite or None, self.tasks if self.tasks.strip() else None, FIELDS)

    def _tasks(self) -> tuple[TaskSpec, ...]:
        shots = self._shots()
        return tuple(TaskSpec(spec.name, shots) if spec.num_fewshot is None else spec for spec in self._named_tasks())

    def _known_tasks(self, known: Collection[str]) -> None:
        for spec in self._named_tasks():
            if known and spec.name not in known:
                close = get_close_matches(spec.name, known, n=3, cutoff=0.6)
                hint = f"did you mean {' or '.join(close)}?" if close else "look for it with f2."
                raise UserError(f"There is no task or group '{spec.name}': {hint}")

    def _shots(self) -> int | None:
        text = self.shots.strip()
        if text and not text.isdecimal():
            raise UserError(f"'{text}' is no number of shots: give a whole number, or nothing for each task's own.")
        return int(text) if text else None

    def _limit(self) -> float | None:
        text = self.limit.strip()
        if not text:
            return None
        try:
            limit = float(text)
        except ValueError:
            limit = -1.0
        if not 0 < limit < float("inf"):
            raise UserError(f"'{text}' is no number of documents: give one above zero.")
        return limit

    def _folders(self) -> list[Path]:
        texts = [text.strip() for text in self.include_paths.split(",")]
        return task_folders([Path(text).expanduser() for text in texts if text], FIELDS)

    def _device(self) -> str:
        device = self.device.strip() or "auto"
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", device):
            raise UserError(f"There is no device '{device}': choose auto, cpu, cuda, cuda:1 (the second GPU) or mps.")
        return device

    def _batch_tokens(self) -> int | None:
        return _whole(self.batch_tokens, "to follow the memory")

    def _seeds(self) -> Seeds:
        return parse_seeds(self.seeds) if self.seeds.strip() else DEFAULT_SEEDS


def _whole(told: str, otherwise: str) -> int | None:
    text = told.strip().replace("_", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UserError(f"'{text}' is no number of tokens: give a whole number, or nothing {otherwise}.")
    return int(text)


def _settings(told: Mapping[str, Any]) -> str:
    return ", ".join(
        key.replace("_", "-") if value is True else f"{key.replace('_', '-')} {value}" for key, value in told.items()
    )


_WITHOUT_FIELD = (
    "calibration_length", "revision", "divisor", "trust_remote_code", "skip_broken_tasks", "apply_chat_template",
    "system_instruction", "fewshot_as_multiturn", "no_cache", "cards", "engine",
)  # fmt: skip
"""Settings, by the fields of `Asked`, that a draft keeps and does not show."""
