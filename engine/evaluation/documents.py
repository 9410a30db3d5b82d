"""The documents of a task as a run asks them, for whoever reads a result without the data set: one file a task."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from lm_eval.api.instance import Instance
from lm_eval.utils import handle_non_serializable

from engine.evaluation.answers import requests_by_document
from engine.evaluation.parquet import write_parquet
from engine.evaluation.tasks import BuiltTask
from warehouse import filenames
from warehouse.excerpt import SHORTEST, excerpts, without_beginning

MOST_OF_PROMPTS = 8_000
MOST_OF_CHOICES = 16_000
MOST_OF_TARGET = 2_000
"""Characters, of a document's texts of one kind together; never less than `SHORTEST` of one."""
_MOST_TARGETS = MOST_OF_TARGET // SHORTEST
_RECOGNISED = 16  # characters of a question, in a prompt that goes on after it: fewer may stand there by chance
_ROLLING = "loglikelihood_rolling"

_SCHEMA = pa.schema(
    [
        ("doc_id", pa.int32()),
        ("doc_hash", pa.binary(32)),
        ("prompts", pa.list_(pa.string())),
        ("choices", pa.list_(pa.string())),
        ("target", pa.string()),
    ]
)


def write_documents(folder: Path, built: BuiltTask, *, attempt: int) -> tuple[Path, str, int]:
    """Write a task's documents; returns the file, its sha256 and how many documents it has.

    `prompts` has one text where all requests of a document share it, else one for each request, without the examples
    before the question. `choices` has what each request asks the log-likelihood of. `target` is JSON, as lm-eval's
    samples have it: a choice's index, a text, or several; null where the prompt itself is what is scored. `doc_hash`
    is lm-eval's hash of the document.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    documents = [_Document.of(built, *asked) for asked in requests_by_document(built.instances).items()]
    texts = iter(excerpts(text for document in documents for text in document.bounded()))
    table = pa.Table.from_pylist([document.row(texts) for document in documents], schema=_SCHEMA)
    path, hash_ = write_parquet(folder, f"{filenames.part(built.name)}-{attempt}", table)
    return path, hash_, len(documents)


@dataclass(frozen=True, slots=True)
class _Document:
    """One document with all of its texts; `targets` are those of its answer, or one that has it as JSON."""

    doc_id: int
    hash: bytes
    prompts: list[str]
    choices: list[str]
    target: Any
    targets: list[str]

    @classmethod
    def of(cls, built: BuiltTask, doc_id: int, asked: list[Instance]) -> _Document:
        doc: Any = asked[0].doc
        texts = [[text for text in request.args if isinstance(text, str)] for request in asked]
        rolling = asked[0].request_type == _ROLLING
        target: Any = None if rolling else built.task.doc_to_target(doc)
        return cls(
            doc_id=doc_id,
            hash=sha256(_json(doc, indent=2).encode(errors="replace")).digest(),
            prompts=_prompts(built, doc, [one[0] if one else "" for one in texts]),
            choices=[choice for one in texts for choice in one[1:2]],
            target=target,
            targets=[target] if isinstance(target, str) else _listed(target) or [_json(target)],
        )

    def bounded(self) -> Iterator[tuple[str, int]]:
        """Every text with the characters that it may have."""
        for texts, most in (
            (self.prompts, MOST_OF_PROMPTS),
            (self.choices, MOST_OF_CHOICES),
            (self.targets, MOST_OF_TARGET),
        ):
            yield from ((text, max(SHORTEST, most // len(texts))) for text in texts)

    def row(self, texts: Iterator[str]) -> dict[str, Any]:
        """The document with what became of its texts, which come in the order of `bounded`."""
        prompts, choices, targets = (
            list(islice(texts, len(before))) for before in (self.prompts, self.choices, self.targets)
        )
        return {
            "doc_id": self.doc_id,
            "doc_hash": self.hash,
            "prompts": prompts,
            "choices": choices,
            "target": self._target(targets),
        }

    def _target(self, targets: list[str]) -> str | None:
        if self.target is None:
            return None
        if _listed(self.target):
            return _json(targets)
        is_json = not isinstance(self.target, str) and targets == self.targets
        return targets[0] if is_json else _json(targets[0])


def _listed(target: Any) -> list[str]:
    """The texts of an answer that can be given in several ways; none where it is something else."""
    if isinstance(target, list | tuple) and all(isinstance(text, str) for text in target):
        return list(target[:_MOST_TARGETS])
    return []


def _prompts(built: BuiltTask, doc: Any, contexts: list[str]) -> list[str]:
    if all(context == contexts[0] for context in contexts):
        del contexts[1:]
    if not built.facts.num_fewshot:
        return contexts
    own: Any = built.task.doc_to_text(doc)
    return [_without_examples(context, own.strip()) for context in contexts] if isinstance(own, str) else contexts


def _without_examples(context: str, own: str) -> str:
    """From where the document's own text begins; the whole prompt where that cannot be told."""
    if own and (len(own) >= _RECOGNISED or context.rstrip().endswith(own)):
        return without_beginning(context, max(context.rfind(own), 0))
    return context


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=handle_non_serializable)
