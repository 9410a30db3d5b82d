"""lm-eval tasks, found by name and built once for all levels of a run."""

from __future__ import annotations

import difflib
import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import datasets.exceptions
import huggingface_hub.errors
import requests
from lm_eval.api.group import Group
from lm_eval.api.instance import Instance
from lm_eval.api.task import Task
from lm_eval.evaluator_utils import get_sample_size
from lm_eval.tasks import TaskManager

from engine.demo.paths import TASKS_DIR
from engine.errors import UserError
from engine.plan import RunPlan
from engine.suites import TaskSpec
from engine.worker.lm import PrunedLM
from engine.worker.templates import compile_once
from warehouse.records.facts import TaskFacts
from warehouse.records.questions import of_requests, questions_hash

_UNREACHABLE = (
    datasets.exceptions.DatasetNotFoundError,
    datasets.exceptions.DataFilesNotFoundError,
    huggingface_hub.errors.HfHubHTTPError,
    huggingface_hub.errors.OfflineModeIsEnabled,
    huggingface_hub.errors.LocalEntryNotFoundError,
    requests.exceptions.RequestException,
    ConnectionError,
    FileNotFoundError,
)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class TaskSet:
    """The tasks of a run in evaluation order, and the groups whose aggregates they make up, parts first."""

    tasks: tuple[BuiltTask, ...]
    groups: tuple[Group, ...]

    def parent(self, name: str) -> str | None:
        return _parents(self.groups).get(name)


def load_tasks(plan: RunPlan) -> tuple[list[Task], list[Group]]:
    """Find the plan's tasks, load their data and set their shots.

    Raises:
        UserError: unknown task, task named twice, fixed shots overridden, or data that cannot be had.
    """
    compile_once()
    manager = _manager(plan)
    tasks: dict[str, Task] = {}
    groups: dict[str, Group] = {}
    for spec in plan.tasks:
        if spec.name not in manager.all_tasks:
            raise UserError(_unknown(spec.name, manager.all_tasks))
        loaded = _load(manager, spec.name)
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
    return list(tasks.values()), _parts_first(groups)


def build_tasks(
    tasks: Sequence[Task], groups: Sequence[Group], plan: RunPlan, lm: PrunedLM, check: Callable[[], None]
) -> TaskSet:
    """Write out every prompt and tokenise it. `check` is called between tasks and may raise to stop."""
    parents = _parents(groups)
    built = []
    for task in tasks:
        check()
        task.build_all_requests(
            limit=get_sample_size(task, plan.limit),
            system_instruction=plan.system_instruction,
            apply_chat_template=plan.apply_chat_template,
            fewshot_as_multiturn=plan.fewshot_as_multiturn,
            chat_template=lm.apply_chat_template if plan.apply_chat_template else None,
            tokenizer_name=lm.tokenizer_name if plan.apply_chat_template else "",
        )
        lm.encode(task.instances)
        built.append(BuiltTask(task, _facts(task, parents.get(task.task_name), lm)))
    return TaskSet(tuple(built), tuple(groups))


def fewshot_of(task: Task) -> int:
    """The number of shots a loaded task is asked with."""
    return task.get_config("num_fewshot") or 0


def _manager(plan: RunPlan) -> TaskManager:
    """lm-eval's index of tasks; reading all of its own takes seconds, so the demo does without them."""
    demo = _index((), defaults=False)
    if not plan.include_paths and all(spec.name in demo.all_tasks for spec in plan.tasks):
        return demo
    return _index(plan.include_paths, defaults=True)


@cache
def _index(include_paths: tuple[str, ...], *, defaults: bool) -> TaskManager:
    return TaskManager(include_path=[str(TASKS_DIR), *include_paths], include_defaults=defaults)


def _unknown(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else "see lm-eval's list with `lm-eval ls tasks`."
    return f"There is no task or group '{name}': {hint}"


def _load(manager: TaskManager, name: str) -> Any:
    try:
        return manager.load([name])
    except ImportError as error:
        extra = "pip install 'prune-tui[ifeval]'" if "ifeval" in name else f"pip install {error.name}"
        raise UserError(f"Task '{name}' needs the package {error.name}, which is not installed: {extra}.") from error
    except _UNREACHABLE as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The data of task '{name}' cannot be reached ({cause}): check the network and the access to the dataset, "
            "or give a copy of the task that reads local files with --include-path."
        ) from error


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


def _parts_first(groups: dict[str, Group]) -> list[Group]:
    ordered: dict[str, Group] = {}

    def visit(group: Group) -> None:
        for part in group.get_all_groups(recursive=False):
            visit(part)
        ordered.setdefault(group.name, group)

    for group in groups.values():
        visit(group)
    return list(ordered.values())


def _parents(groups: Sequence[Group]) -> dict[str, str]:
    """Task or group name → the nearest group above it that has an aggregate of its own."""
    parents: dict[str, str] = {}
    for group in groups:
        if not group.has_aggregation:
            continue
        names = [task.task_name for task in group.get_all_tasks()]
        names += [part.name for part in group.get_all_groups() if part.has_aggregation]
        for name in names:
            parents.setdefault(name, group.name)  # groups come parts first, so the nearest is met first
    return parents


def _facts(task: Task, part_of: str | None, lm: PrunedLM) -> TaskFacts:
    return TaskFacts(
        task=task.task_name,
        part_of=part_of,
        version=str(task.VERSION),
        output_type=str(task.OUTPUT_TYPE),
        num_fewshot=fewshot_of(task),
        n_docs=len({instance.doc_id for instance in task.instances}),
        n_requests=sum(instance.repeats or 1 for instance in task.instances),
        dataset="/".join(str(part) for part in (task.DATASET_PATH, task.DATASET_NAME) if part),
        dataset_fingerprint=getattr(task.eval_docs, "_fingerprint", None),
        requests_hash=_hash(task.instances),
        questions_hash=questions_hash(of_requests(task.instances)),
        tokens_hash=_tokens_hash(task.instances, lm),
    )


def _hash(instances: Sequence[Instance]) -> str:
    """A fingerprint of everything the model is asked, so that a resumed run can tell that its data changed."""
    digest = hashlib.sha256()
    for line in _lines(instances):
        digest.update(line.encode())
    return digest.hexdigest()


def _tokens_hash(instances: Sequence[Instance], lm: PrunedLM) -> str:
    """A fingerprint of the token ids of every request, as the model is asked."""
    digest = hashlib.sha256()
    for instance in sorted(instances, key=lambda instance: (instance.doc_id or 0, instance.idx)):
        parts = lm.tokens_of(instance)
        digest.update(array("q", [instance.doc_id or 0, instance.idx, *map(len, parts)]).tobytes())
        for part in parts:
            digest.update(array("i", part).tobytes())
    return digest.hexdigest()


def _lines(instances: Sequence[Instance]) -> Iterator[str]:
    for instance in instances:
        yield json.dumps([instance.request_type, instance.doc_id, instance.idx, *instance.args], default=str)
