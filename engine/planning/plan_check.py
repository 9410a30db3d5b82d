"""What can be told of a plan before libraries are loaded: whether there are its tasks and its model's folder."""

from __future__ import annotations

from collections.abc import Callable

from engine.planning import model_files, model_stack, task_index
from engine.planning.plan import LLAMA_CPP, RunPlan


def check(plan: RunPlan, *, reading: Callable[[], object] = lambda: None) -> None:
    """Takes a moment, unless lm-eval's tasks have to be read anew: `reading` is called before that.

    Raises:
        UserError: the plan cannot be carried out as it stands; a worker would say the same later.
        UnlistedError: lm-eval's tasks cannot be read, which says nothing of the plan.
    """
    if plan.engine == LLAMA_CPP:
        model_stack.require_llama_cpp()
    model_files.check(plan.model, trust_remote_code=plan.trust_remote_code)
    task_index.check(plan.tasks, plan.include_paths, trusted=plan.trust_task_code, reading=reading)
