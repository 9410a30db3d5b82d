"""What is recorded of a task whose requests exist, fingerprints of what is asked included."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.task import Task

from engine.evaluation.prompts import Prompts
from warehouse.records.facts import TaskFacts
from warehouse.records.questions import of_requests, questions_hash


def facts_of(task: Task, part_of: str | None, asked: str, lm: Prompts) -> TaskFacts:
    """`part_of` is the nearest group with an aggregate of its own, `asked` the hash of the task's requests."""
    return TaskFacts(
        task=task.task_name,
        part_of=part_of,
        version=str(task.VERSION),
        output_type=str(task.OUTPUT_TYPE),
        num_fewshot=num_fewshot(task),
        n_docs=len({instance.doc_id for instance in task.instances}),
        n_requests=sum(instance.repeats or 1 for instance in task.instances),
        dataset="/".join(str(part) for part in (task.DATASET_PATH, task.DATASET_NAME) if part),
        dataset_fingerprint=getattr(task.eval_docs, "_fingerprint", None),
        requests_hash=asked,
        questions_hash=questions_hash(of_requests(task.instances)),
        tokens_hash=_tokens_hash(task.instances, lm),
    )


def requests_hash(instances: Sequence[Instance]) -> str:
    """A fingerprint of everything the model is asked, so that a resumed run can tell that its data changed."""
    digest = hashlib.sha256()
    for line in _lines(instances):
        digest.update(line.encode())
    return digest.hexdigest()


def _tokens_hash(instances: Sequence[Instance], lm: Prompts) -> str:
    """A fingerprint of the token ids of every request, as the model is asked."""
    digest = hashlib.sha256()
    for instance in sorted(instances, key=lambda instance: (instance.doc_id or 0, instance.idx)):
        parts = lm.tokens_of(instance)
        digest.update(array("q", [instance.doc_id or 0, instance.idx, *map(len, parts)]).tobytes())
        for part in parts:
            digest.update(np.ascontiguousarray(part, np.int32).data)
    return digest.hexdigest()


def _lines(instances: Sequence[Instance]) -> Iterator[str]:
    """Each instance as `json.dumps` writes its list; the context that neighbours share is written once."""
    context: Any = None
    written = ""
    for instance in instances:
        first, *others = instance.args
        if first is not context:
            context, written = first, _json(first)
        about = map(_json, (instance.request_type, instance.doc_id, instance.idx))
        yield f"[{', '.join((*about, written, *map(_json, others)))}]"


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def num_fewshot(task: Task) -> int:
    """The number of shots a loaded task is asked with."""
    return task.get_config("num_fewshot") or 0
