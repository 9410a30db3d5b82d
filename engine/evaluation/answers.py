"""What a model answered to each document: log-likelihoods, or the text it wrote, before any filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from lm_eval.api.instance import Instance

from warehouse.excerpt import SHORTEST, excerpts

MOST_REQUESTS = 250
"""Of a document's requests, and of a request's answers, the first ones are kept."""
MOST_CHARACTERS = 4_000
"""Of the texts that are written for one document, together; never less than `SHORTEST` of one."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One document's, in the order of its requests.

    A log-likelihood, and whether the most likely text was the one asked about, for each request that asks for one
    (`greedy` is empty where a whole text is rolled over); or the texts that were written.
    """

    log_likelihoods: list[float]
    greedy: list[bool]
    texts: list[str]


def requests_by_document(instances: Iterable[Instance]) -> dict[int, list[Instance]]:
    """Each document's requests in the order of their index, `MOST_REQUESTS` of them."""
    found: dict[int, list[Instance]] = defaultdict(list)
    for instance in instances:
        found[instance.doc_id or 0].append(instance)
    return {
        doc_id: sorted(requests, key=lambda request: request.idx)[:MOST_REQUESTS] for doc_id, requests in found.items()
    }


def answers_of(instances: Iterable[Instance]) -> dict[int, Answers]:
    """By document, from the requests of a task that have just been answered."""
    found: dict[int, Answers] = {}
    for doc_id, requests in requests_by_document(instances).items():
        answers = [answer for request in requests for answer in request.resps][:MOST_REQUESTS]
        pairs = [answer for answer in answers if isinstance(answer, tuple)]
        found[doc_id] = Answers(
            log_likelihoods=[*map(_first, pairs), *(answer for answer in answers if isinstance(answer, float))],
            greedy=[bool(is_greedy) for _, is_greedy in pairs],
            texts=[answer for answer in answers if isinstance(answer, str)],
        )
    sizes = {doc_id: max(SHORTEST, MOST_CHARACTERS // max(len(one.texts), 1)) for doc_id, one in found.items()}
    kept = iter(excerpts((text, sizes[doc_id]) for doc_id, one in found.items() for text in one.texts))
    return {
        doc_id: Answers(one.log_likelihoods, one.greedy, list(islice(kept, len(one.texts))))
        for doc_id, one in found.items()
    }


def _first(answer: tuple[float, bool]) -> float:
    return float(answer[0])
