"""One task's requests, asked of a model at one level: no part of lm-eval's tasks is needed for that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lm_eval.api.instance import Instance

from warehouse.records.facts import TaskFacts

if TYPE_CHECKING:
    from engine.evaluation.answering import AnsweringLM


class Asked(Protocol):
    """What is asked in a task, whether the task itself is there or not."""

    @property
    def name(self) -> str: ...
    @property
    def facts(self) -> TaskFacts: ...
    @property
    def instances(self) -> list[Instance]: ...


@dataclass(frozen=True, slots=True)
class TaskRequests:
    """The requests of a task that is in another process."""

    facts: TaskFacts
    instances: list[Instance]

    @property
    def name(self) -> str:
        return self.facts.task


def ask(asked: Asked, lm: AnsweringLM) -> list[Any]:
    """What the model says to each request of a task, those of one type after another.

    Nothing of the task is written to, so that it may be asked again while earlier answers are judged.
    """
    answers: list[Any] = []
    for request_type, instances in by_type(asked.instances).items():
        method = getattr(lm, "loglikelihood" if request_type == "multiple_choice" else request_type)
        answers += method(instances)
    return answers


def prepare(asked: Asked, lm: AnsweringLM) -> None:
    """Lay the requests of a task out on the CPU, so that asking them begins on the device at once."""
    for request_type, instances in by_type(asked.instances).items():
        lm.prepare(request_type, instances)


def by_type(instances: Sequence[Instance]) -> dict[str, list[Instance]]:
    """Requests in the order in which they are asked, each as often as it is."""
    found: dict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        found[instance.request_type] += [instance] * (instance.repeats or 1)
    return found
