"""A task's document as one text: the question with its answer behind it, as few-shot examples have them."""

from __future__ import annotations

from typing import Any

from lm_eval.api.task import Task


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
