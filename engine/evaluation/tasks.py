"""Tasks whose requests are written out, once for all levels of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lm_eval.api.group import Group
from lm_eval.api.instance import Instance
from lm_eval.api.task import Task
from lm_eval.evaluator_utils import get_sample_size

from engine.errors import UserError
from engine.evaluation.chance import chance_levels
from engine.evaluation.encoding import Progress as Encoded
from engine.evaluation.prompts import Prompts
from engine.evaluation.task_facts import facts_of, requests_hash
from engine.evaluation.task_failures import OF_THE_TASK, cannot_be_built, left_out
from engine.evaluation.task_groups import parents_of
from engine.evaluation.task_loading import LoadedTasks
from engine.planning.plan import RunPlan
from warehouse.records.facts import TaskFacts


@dataclass(frozen=True)
class BuiltTask:
    """A task whose requests exist."""

    task: Task
    facts: TaskFacts

    @property
    def name(self) -> str:
        return self.facts.task

    @property
    def instances(self) -> list[Instance]:
        return self.task.instances

    @cached_property
    def chances(self) -> dict[str, float]:
        """What guessing scores, the same at every level."""
        return chance_levels(self.task)


@dataclass(frozen=True, slots=True)
class TaskSet:
    """The tasks of a run in evaluation order, and the groups whose aggregates they make up, parts first.

    `broken` has those that were left out because they cannot be built, and why.
    """

    tasks: tuple[BuiltTask, ...]
    groups: tuple[Group, ...]
    broken: Mapping[str, str] = field(default_factory=dict)

    def parent(self, name: str) -> str | None:
        return parents_of(self.groups).get(name)


def build_tasks(found: LoadedTasks, plan: RunPlan, lm: Prompts, check: Callable[[], None]) -> TaskSet:
    """Write out every prompt and tokenise it. `check` is called between tasks and may raise to stop.

    Raises:
        UserError: a task cannot be built or asked, unless the plan leaves such tasks out and there are others.
    """
    parents = parents_of(found.groups)
    built, broken = list[BuiltTask](), dict(found.broken)
    for task in found.tasks:
        check()
        with left_out(task.task_name, broken, plan):
            built.append(build_task(task, parents.get(task.task_name), plan, lm))
    if not built and broken:
        raise UserError(f"None of the tasks can be built. {next(iter(broken.values()))}")
    return TaskSet(tuple(built), tuple(found.groups), broken)


def build_task(
    task: Task, part_of: str | None, plan: RunPlan, lm: Prompts, progress: Encoded = lambda done, total: None
) -> BuiltTask:
    """Write out a task's prompts and tokenise them; may run in a thread beside the asking of other tasks.

    `part_of` is the nearest group with an aggregate of its own. `progress` is told how many of the task's requests are
    tokenised, and of how many; it is called in this thread and may raise to stop. Where the plan allows it, tokens are
    taken from the user's cache, and kept in it.

    Raises:
        UserError: it cannot be built or asked.
    """
    try:
        task.build_all_requests(
            limit=get_sample_size(task, plan.limit),
            system_instruction=plan.system_instruction,
            apply_chat_template=plan.apply_chat_template,
            fewshot_as_multiturn=plan.fewshot_as_multiturn,
            chat_template=lm.apply_chat_template if plan.apply_chat_template else None,
            tokenizer_name=lm.tokenizer_name if plan.apply_chat_template else "",
        )
    except OF_THE_TASK as error:
        cannot_be_built(task.task_name, error)
    asked = requests_hash(task.instances)
    lm.encode(task.instances, progress, lm.kept_tokens(asked) if plan.use_cache else None)
    return BuiltTask(task, facts_of(task, part_of, asked, lm))
