"""A fingerprint of what is asked, the same for our own runs and for the samples that lm-eval writes.

It covers the texts of every request: the context and, for log-likelihoods, the continuation. Generation settings are
a condition of their own and left out, as is how a tokenizer cuts the texts up.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol, cast

Questions = Mapping[int, Sequence[Sequence[str]]]
"""By doc_id, the text arguments of each of the document's requests, in order of their index."""


class Request(Protocol):
    """What is needed of lm-eval's `Instance`."""

    @property
    def doc_id(self) -> int | None: ...

    @property
    def idx(self) -> int: ...

    @property
    def args(self) -> tuple[Any, ...]: ...


def questions_hash(questions: Questions) -> str | None:
    """sha256 over the documents in order of their ids; None where nothing is asked."""
    if not questions:
        return None
    digest = sha256()
    for doc_id in sorted(questions):
        requests = [list(texts) for texts in questions[doc_id]]
        digest.update(json.dumps([doc_id, requests], separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def of_requests(requests: Iterable[Request]) -> Questions:
    """The questions of a task's instances."""
    by_document: defaultdict[int, list[tuple[int, list[str]]]] = defaultdict(list)
    for request in requests:
        by_document[request.doc_id or 0].append((request.idx, _texts(request.args)))
    return {doc_id: [texts for _, texts in sorted(numbered)] for doc_id, numbered in by_document.items()}


def of_sample(arguments: Any) -> list[list[str]]:
    """The questions of one document from the `arguments` of its sample, in either of the forms that lm-eval wrote.

    Raises:
        ValueError: it is neither.
    """
    # {"gen_args_0": {"arg_0": context, "arg_1": continuation}, …} or [[context, continuation], …]
    return [_texts(_in_order(request, "arg_")) for request in _in_order(arguments, "gen_args_")]


def combined_hash(parts: Mapping[str, str | None]) -> str | None:
    """The hash of a group from those of its tasks; None where one of them is unknown, or there are none."""
    if not parts or None in parts.values():
        return None
    return sha256(json.dumps(sorted(parts.items()), separators=(",", ":")).encode()).hexdigest()


def _texts(arguments: Iterable[Any]) -> list[str]:
    return [argument for argument in arguments if isinstance(argument, str)]


def _in_order(arguments: Any, prefix: str) -> list[Any]:
    """A list as it is; of named values, those by the numbers in their names: `arg_10` comes after `arg_9`."""
    if isinstance(arguments, str):  # a request of one text, unwrapped
        return [arguments]
    if not isinstance(arguments, dict):
        if not isinstance(arguments, list | tuple):
            raise ValueError("arguments of another form")
        return list(cast("Sequence[Any]", arguments))
    named = cast("Mapping[str, Any]", arguments)
    numbers = {int(name.removeprefix(prefix)): value for name, value in named.items()}
    return [numbers[number] for number in sorted(numbers)]
