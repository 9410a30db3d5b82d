"""lm-eval tasks, found by name and built once for all levels of a run."""

from __future__ import annotations

import difflib
import hashlib
import json
import sysconfig
import traceback
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Never

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
from engine.evaluation.chance import chance_levels
from engine.evaluation.encoding import asked_for
from engine.evaluation.lm import PrunedLM
from engine.evaluation.task_code import TaskCode, task_code
from engine.evaluation.templates import prepare_templates
from engine.planning.plan import RunPlan
from engine.planning.suites import TaskSpec
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
        return _parents(self.groups).get(name)


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
    prepare_templates()
    manager = _manager(plan)
    for spec in plan.tasks:
        if spec.name not in manager.all_tasks:
            raise UserError(_unknown(spec.name, manager.all_tasks))
    code = task_code(manager.task_index, [spec.name for spec in plan.tasks])
    if code.reasons and not plan.trust_task_code:
        raise UserError(_untrusted(code))
    found = LoadedTasks(code=code.hashes(plan.include_paths))
    tasks: dict[str, Task] = {}
    groups: dict[str, Group] = {}
    for spec in plan.tasks:
        with _left_out(spec.name, found.broken, plan):
            loaded = _load(manager, spec.name)
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
    found.tasks, found.groups = list(tasks.values()), _parts_first(groups)
    return found


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
            with _left_out(task.task_name, found.broken, plan):
                _refuse_long_answer(task, max_length)
    found.tasks = [task for task in found.tasks if task.task_name not in found.broken]


def _refuse_long_answer(task: Task, max_length: int) -> None:
    try:
        asked = asked_for(task.get_config("generation_kwargs"))
    except _OF_THE_TASK as error:
        _cannot_be_built(task.task_name, error)
    if asked >= max_length:
        raise UserError(
            f"Task '{task.task_name}': up to {asked} tokens are to be generated, but the model's context is "
            f"{max_length}: lower the task's max_gen_toks, or leave the task out."
        )


def build_tasks(found: LoadedTasks, plan: RunPlan, lm: PrunedLM, check: Callable[[], None]) -> TaskSet:
    """Write out every prompt and tokenise it. `check` is called between tasks and may raise to stop.

    Raises:
        UserError: a task cannot be built or asked, unless the plan leaves such tasks out and there are others.
    """
    parents = _parents(found.groups)
    built, broken = list[BuiltTask](), dict(found.broken)
    for task in found.tasks:
        check()
        with _left_out(task.task_name, broken, plan):
            built.append(_built(task, parents.get(task.task_name), plan, lm))
    if not built and broken:
        raise UserError(f"None of the tasks can be built. {next(iter(broken.values()))}")
    return TaskSet(tuple(built), tuple(found.groups), broken)


def _built(task: Task, part_of: str | None, plan: RunPlan, lm: PrunedLM) -> BuiltTask:
    try:
        task.build_all_requests(
            limit=get_sample_size(task, plan.limit),
            system_instruction=plan.system_instruction,
            apply_chat_template=plan.apply_chat_template,
            fewshot_as_multiturn=plan.fewshot_as_multiturn,
            chat_template=lm.apply_chat_template if plan.apply_chat_template else None,
            tokenizer_name=lm.tokenizer_name if plan.apply_chat_template else "",
        )
    except _OF_THE_TASK as error:
        _cannot_be_built(task.task_name, error)
    lm.encode(task.instances)
    return BuiltTask(task, _facts(task, part_of, lm))


@contextmanager
def _left_out(name: str, broken: dict[str, str], plan: RunPlan) -> Iterator[None]:
    """Where the plan says so, a task that cannot be built is written down instead of ending the run."""
    try:
        yield
    except UserError as error:
        if not plan.skip_broken_tasks:
            raise
        broken[name] = str(error)


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
    except ModuleNotFoundError as error:
        if error.name is None:
            _cannot_be_built(name, error)
        extra = "pip install 'prune-tui[ifeval]'" if "ifeval" in name else f"pip install {error.name}"
        raise UserError(f"Task '{name}' needs the package {error.name}, which is not installed: {extra}.") from error
    except _UNREACHABLE as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"The data of task '{name}' cannot be reached ({cause}): check the network and the access to the dataset, "
            "or give a copy of the task that reads local files with --include-path."
        ) from error
    except _OF_THE_TASK as error:
        _cannot_be_built(name, error)


# Its file, its documents and its functions may raise whatever they like, and end the process.
_OF_THE_TASK = (Exception, SystemExit)


def _cannot_be_built(name: str, error: BaseException) -> Never:
    raise UserError(
        f"Task '{name}' cannot be built ({_cause(error)}): mend its file or its data, leave it out, or go on with the "
        "others by --skip-broken-tasks."
    ) from error


def _cause(error: BaseException) -> str:
    """What a task's own exception means, as far as lm-eval's words allow, and where in a file from outside it arose."""
    if isinstance(error, datasets.exceptions.DatasetGenerationError) and error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1].filename if frames else ""
    said = " ".join(str(error).split()).removeprefix("Error: ").rstrip(".")
    match error:
        case IndexError() if said == "string index out of range" and last.endswith("lm_eval/api/task.py"):
            return "a choice is empty"
        case IndexError() if last.endswith("lm_eval/api/task.py"):
            return "a document names a choice that it does not have"
        case ValueError() if said.startswith("Sample larger than population"):
            return "it has fewer examples than shots are asked for"
        case KeyError():
            return f"there is no {said}"
        case SystemExit():
            said = "its code ends the process"
        case AssertionError() if said:
            pass
        case _:
            said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    own = [frame for frame in frames if _is_the_users(frame.filename)]
    place = f", {Path(own[-1].filename).name} line {own[-1].lineno}" if own else ""
    return f"{said[:200]}{place}"


def _is_the_users(file: str) -> bool:
    libraries = (sysconfig.get_path("stdlib"), Path(__file__).parents[2])
    path = Path(file)
    return path.is_file() and "site-packages" not in path.parts and not any(map(path.is_relative_to, libraries))


def _untrusted(code: TaskCode) -> str:
    more = f" and {len(code.reasons) - 1} more" if len(code.reasons) > 1 else ""
    return (
        f"These task files are code: {code.reasons[0]}{more}. Read them, and add --trust-task-code if you trust them."
    )


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
