"""What is asked of `run` for one model, in the words and the types of its options: typed, in a sweep file, or a plan's.

A number of them become the plans of one sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from engine.planning.choices import (
    OPTIONS,
    Names,
    chosen_calibration,
    chosen_levels,
    chosen_methods,
    chosen_repairs,
    chosen_tasks,
    run_name,
    task_folders,
)
from engine.planning.plan import TRANSFORMERS, RunPlan
from engine.planning.profiling import ProfilePlan
from engine.planning.suites import SUITES, suite
from engine.planning.sweep import spread_each
from warehouse.records.conditions import DEFAULT_SEEDS, parse_seeds, seeds_text

DEFAULT_LEVELS = "0,10,20,30,40,50,60"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Lists are texts with commas, as they are typed."""

    model: str
    levels: str = DEFAULT_LEVELS
    method: str = "maw"
    repair: str = "none"
    calibration: str | None = None
    calibration_tokens: int | None = None
    calibration_length: int | None = None
    damage: bool = False
    profile: bool = False
    suite: str | None = None
    tasks: str | None = None
    limit: float | None = None
    include_path: tuple[Path, ...] = ()
    dtype: str = "auto"
    device: str = "auto"
    seed: str = seeds_text(DEFAULT_SEEDS)
    name: str | None = None
    revision: str | None = None
    divisor: int | None = None
    batch_tokens: int | None = None
    compile: bool = False
    trust_remote_code: bool = False
    trust_task_code: bool = False
    skip_broken_tasks: bool = False
    apply_chat_template: bool = False
    system_instruction: str | None = None
    fewshot_as_multiturn: bool = False
    no_cache: bool = False
    cards: int = 1
    engine: str = TRANSFORMERS

    @classmethod
    def like(cls, plan: RunPlan) -> Asked:
        """What a plan was made from, or would be."""
        by_suite = plan.suite in SUITES and suite(plan.suite) == plan.tasks
        told: dict[str, Any] = {field.name: getattr(plan, field.name, None) for field in fields(cls)}
        told |= {
            "levels": ",".join(map(str, plan.levels)),
            "suite": plan.suite if by_suite else None,
            "tasks": None if by_suite else ",".join(map(str, plan.tasks)) or None,
            "include_path": tuple(map(Path, plan.include_paths)),
            "seed": seeds_text(plan.seeds),
            "profile": plan.profile is not None,
            "compile": plan.compile_layers,
            "no_cache": not plan.use_cache,
        }
        return cls(**told)

    @property
    def is_profile_alone(self) -> bool:
        """Whether it is only asked what levels cost."""
        return self.profile and self.suite is None and self.tasks is None

    def plan(self, base: Path, names: Names = OPTIONS) -> RunPlan:
        """The plan, with the first method and repair. `base` is the folder that relative ones are seen from, `names`
        are what the settings were given by.

        Raises:
            UserError: an option is wrong.
        """
        return RunPlan(
            name=self.name or run_name(str(base / self.model) if (base / self.model).is_dir() else self.model),
            model=self.model,
            levels=chosen_levels(self.levels, names),
            tasks=() if self.is_profile_alone else chosen_tasks(self.suite, self.tasks, names),
            calibration=chosen_calibration(self.calibration),
            calibration_tokens=self.calibration_tokens,
            calibration_length=self.calibration_length,
            damage=self.damage,
            profile=ProfilePlan() if self.profile else None,
            suite=self.suite,
            revision=self.revision,
            divisor=self.divisor,
            limit=self.limit,
            include_paths=tuple(map(str, task_folders([base / path for path in self.include_path], names))),
            dtype=self.dtype,
            device=self.device,
            batch_tokens=self.batch_tokens,
            compile_layers=self.compile,
            seeds=parse_seeds(self.seed),
            trust_remote_code=self.trust_remote_code,
            trust_task_code=self.trust_task_code,
            skip_broken_tasks=self.skip_broken_tasks,
            apply_chat_template=self.apply_chat_template,
            system_instruction=self.system_instruction,
            fewshot_as_multiturn=self.fewshot_as_multiturn,
            use_cache=not self.no_cache,
            cards=self.cards,
            engine=self.engine,
        ).resolved(base)


def plans_of(asked: Sequence[Asked], base: Path, *, name: str | None = None, names: Names = OPTIONS) -> list[RunPlan]:
    """A run for each model, method and repair, under one sweep, called `name`, where that makes several.

    Raises:
        UserError: an option is wrong, or nothing looks at a text that is named.
    """
    ways = [(chosen_methods(one.method, names), chosen_repairs(one.repair, names)) for one in asked]
    plans = [one.plan(base, names) for one in asked]
    return spread_each([(plan, *way) for plan, way in zip(plans, ways, strict=True)], name)
