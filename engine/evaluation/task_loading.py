"""lm-eval tasks, found by name, with their documents and their shots."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from lm_eval.api.group import Group
from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.evaluation.encoding import asked_for
from engine.evaluation.kept_index import KeptIndex
from engine.evaluation.task_code import TaskCode, task_code
from engine.evaluation.task_failures import OF_THE_TASK, cannot_be_built, left_out, load_task
from engine.evaluation.task_groups import parts_first
from engine.evaluation.templates import prepare_templates
from engine.planning import task_index
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
from engine.planning.task_index import unknown, untrusted


@dataclass(slots=True)
class LoadedTasks:
    """Tasks whose documents are there; `broken` as in `TaskSet`, `code` the hashes of task files from outside."""

    tasks: list[Task] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)

    def covered_by(self, limit: float | None) -> bool:
        """Whether that many documents of each task are all that there are."""
        return limit is None or (limit >= 1 and all(limit >= len(task.eval_docs) for task in self.tasks))


def load_tasks(plan: RunPlan) -> LoadedTasks:
    """Find the plan's tasks, load their data and set their shots.

    Raises:
        UserError: unknown task, task named twice, fixed shots overridden, code that is not trusted; or a task cannot be
            built, or its data not be had, unless the plan leaves such tasks out and there are others.
    """
    manager, code = _known([spec.name for spec in plan.tasks], plan.include_paths, plan.trust_task_code)
    found = LoadedTasks(code=code.hashes(plan.include_paths))
    tasks: dict[str, Task] = {}
    groups: dict[str, Group] = {}
    for spec in plan.tasks:
        with left_out(spec.name, found.broken, plan):
            loaded = load_task(manager, spec.name)
            for task in loaded["tasks"].values():
                _refuse_unscorable(task)
        if spec.name in found.broken:
            continue
        for name, task in loaded["tasks"].items():
            if name in tasks:
                raise UserError(f"Task '{name}' is asked for twice: name it, or a group that holds it, once.")
            if getattr(task, "UNSAFE_CODE", False):
                raise UserError(f"Task '{name}' runs code that the model wrote, which prune-tui does not do.")
            if getattr(task, "MULTIMODAL", False):
                raise UserError(f"Task '{name}' needs images or sound, which a text model cannot read.")
            _set_shots(task, spec)
            task.set_fewshot_seed(seed=plan.seeds[3])
            tasks[name] = task
        groups |= loaded.get("groups", {})
    found.tasks, found.groups = list(tasks.values()), parts_first(groups)
    return found


def tasks_called(name: str, *, include_paths: tuple[str, ...] = (), trust_task_code: bool = False) -> list[Task]:
    """The tasks of a task's or a group's name, with their documents, for other ends than a plan's.

    Raises:
        UserError: unknown task, code that is not trusted, or a task that cannot be built, or its data not be had.
    """
    manager, _ = _known([name], include_paths, trust_task_code)
    return list(load_task(manager, name)["tasks"].values())


def _known(names: list[str], include_paths: tuple[str, ...], trust_task_code: bool) -> tuple[TaskManager, TaskCode]:
    """lm-eval's index of tasks, once it is settled that these are in it and may be built."""
    prepare_templates()
    manager = _manager(names, include_paths)
    for name in names:
        if name not in manager.all_tasks:
            raise UserError(unknown(name, manager.all_tasks))
    code = task_code(manager.task_index, names)
    if code.reasons and not trust_task_code:
        raise UserError(untrusted(code.reasons))
    return manager, code


def _refuse_unscorable(task: Task) -> None:
    """lm-eval warns of what it does not know, and fails when it comes to count."""
    scored_by_code = task.get_config("process_results") is not None
    metrics = {} if scored_by_code else getattr(task, "_metric_fn_list", {})
    for what, known in (("metric", metrics), ("aggregation", task.aggregation() or {})):
        if missing := [name for name, function in known.items() if not callable(function)]:
            raise UserError(
                f"Task '{task.task_name}' cannot be built (lm-eval does not know the {what} of {missing[0]}): mend its "
                "file, leave it out, or go on with the others by --skip-broken-tasks."
            )


def refuse_long_answers(found: LoadedTasks, max_length: int, plan: RunPlan) -> None:
    """Take out of `found` the tasks whose answers do not fit into the model's context.

    Raises:
        UserError: there is one, and the plan does not leave such tasks out.
    """
    for task in found.tasks:
        if task.OUTPUT_TYPE == "generate_until":
            with left_out(task.task_name, found.broken, plan):
                _refuse_long_answer(task, max_length)
    found.tasks = [task for task in found.tasks if task.task_name not in found.broken]


def _refuse_long_answer(task: Task, max_length: int) -> None:
    try:
        asked = asked_for(task.get_config("generation_kwargs"))
    except OF_THE_TASK as error:
        cannot_be_built(task.task_name, error)
    if asked >= max_length:
        raise UserError(
            f"Task '{task.task_name}': up to {asked} tokens are to be generated, but the model's context is "
            f"{max_length}: lower the task's max_gen_toks, or leave the task out."
        )


def _manager(names: list[str], include_paths: tuple[str, ...]) -> TaskManager:
    """lm-eval's index of tasks; the demo does without lm-eval's own."""
    demo = _index((), defaults=False)
    if not include_paths and all(name in demo.all_tasks for name in names):
        return demo
    return _index(include_paths, defaults=True)


@cache
def _index(include_paths: tuple[str, ...], *, defaults: bool) -> TaskManager:
    own = [str(TASKS_DIR), *include_paths]
    if not defaults:
        return TaskManager(include_path=[*own], include_defaults=False)
    try:
        return KeptIndex(task_index.load(), own)
    except task_index.UnlistedError:  # then as lm-eval does it, with whatever it has to say
        return TaskManager(include_path=[*own], include_defaults=True)


def _set_shots(task: Task, spec: TaskSpec) -> None:
    own = task.get_config("num_fewshot")
    if spec.num_fewshot is None:
        if own is None:
            task.set_config(key="num_fewshot", value=0)
    elif own == 0 and spec.num_fewshot != 0:
        # lm-eval keeps such a zero as well: the prompt has its examples written in, or none make sense.
        raise UserError(
            f"Task '{task.task_name}' is defined without few-shot examples: ask for {spec.name} or {spec.name}@0."
        )
    else:
        task.set_config(key="num_fewshot", value=spec.num_fewshot)
