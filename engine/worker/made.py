"""What a process for tasks keeps of a run for the next one with the same tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.evaluation.task_loading import LoadedTasks
from engine.evaluation.tasks import BuiltTask
from engine.planning.plan import RunPlan
from engine.runs.keeping import FREE
from engine.worker.wire import Knows, Reads, Written

_FREE = FREE - {"tasks"}


@dataclass(slots=True)
class Made:
    """Tasks and their requests, as the plan's seeds drew them, for how the model reads.

    They serve another run only where all of them are there, and nothing that they depend on is another: what is made
    once more, by tasks that were used, might be drawn otherwise.
    """

    plan: RunPlan
    found: LoadedTasks | None = None
    reads: Reads | None = None
    knows: Knows | None = None
    built: dict[str, BuiltTask] = field(default_factory=dict[str, BuiltTask])
    written: dict[str, Written] = field(default_factory=dict[str, Written])

    def serves(self, plan: RunPlan, reads: Reads) -> bool:
        """Whether a run of this plan and with this tokenizer has the same tasks and requests."""
        if self.found is None or self.found.broken or self.reads is None or self.reads.tokenizer is None:
            return False
        names = {str(getattr(task.config, "task")) for task in self.found.tasks}  # noqa: B009 (as `name_of`)
        return self.reads == reads and names == self.built.keys() == self.written.keys() and _of(plan) == _of(self.plan)


def _of(plan: RunPlan) -> dict[str, Any]:
    return {name: value for name, value in plan.to_dict().items() if name not in _FREE}
