"""A task's document as one text: the question with its answer behind it, as few-shot examples have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lm_eval.api.task import Task

from engine.evaluation.task_failures import OF_THE_TASK, cannot_be_built


def whole_documents(tasks: Iterable[Task]) -> Iterator[tuple[str, str]]:
    """Every document that tasks evaluate on, with its task's name before it.

    Raises:
        UserError: a task's own code cannot write a document out.
    """
    for task in tasks:
        try:
            for document in task.eval_docs:
                yield task.task_name, whole_document(task, document)
        except OF_THE_TASK as error:
            cannot_be_built(task.task_name, error)


def whole_document(task: Task, document: Any) -> str:
    """Of several right answers the first; of a question that comes in several wordings the one of the answer."""
    asked: Any = task.doc_to_text(document)
    target: Any = task.doc_to_target(document)
    choices: Any = task.doc_to_choice(document) if task.get_config("doc_to_choice") is not None else None  # type: ignore[attr-defined]
    question = choices[asked] if isinstance(asked, int) and choices else str(asked)
    if isinstance(target, list | tuple):
        target = target[0] if target else ""
    answer = choices[target] if isinstance(target, int) and choices and not isinstance(asked, int) else str(target)
    delimiter = task.get_config("target_delimiter")
    between = "" if not question or not answer else " " if delimiter is None else str(delimiter)
    return question + between + answer
