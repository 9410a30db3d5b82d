"""What `lm_eval --log_samples` wrote of one task: a document a line, once for each filter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from warehouse.importers.responses import Responses
from warehouse.records import questions
from warehouse.stats.metric import PerDocument
from warehouse.stats.per_document import per_document

_MOST_DOCUMENTS = 2**31


@dataclass(frozen=True, slots=True)
class TaskForm:
    """What the result file says of a task that its samples may not: older ones name neither filter nor metrics."""

    filters: Sequence[str] = ()
    metrics: Sequence[str] = ()
    output_type: str | None = None
    target_delimiter: str = " "


@dataclass(slots=True)
class Samples:
    """One task's samples, ready to be stored: `count` of them, each with a row for every metric.

    `requests_hash` hashes lm-eval's own hashes; older files have none.
    """

    count: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    questions_hash: str | None = None
    requests_hash: str | None = None

    def write(self, path: Path) -> None:
        import polars as pl  # a tenth of a second, which an import without samples does not need

        schema = {
            "doc_id": pl.Int32, "filter": pl.String, "metric": pl.String, "value": pl.Float64, "weight": pl.Float64,
            "response": pl.String, "terms": pl.List(pl.Float64),
        }  # fmt: skip
        pl.DataFrame(self.rows, schema=schema, orient="row").write_parquet(path)


def read_samples(path: Path, form: TaskForm) -> Samples:
    """Raises:
    ValueError: a line is not a sample; says which.
    OSError: the file cannot be read.
    """
    samples = Samples()
    requests: dict[int, list[list[str]]] = {}
    hashes: set[tuple[Any, ...]] = set()
    scores: list[tuple[int, str, str, PerDocument]] = []
    responses = Responses(form.output_type, form.target_delimiter)
    occurred: Counter[int] = Counter()
    complete = True
    for where, sample in _samples(path):
        try:
            doc_id = _doc_id(sample["doc_id"])
            name = sample["filter"] if "filter" in sample else form.filters[occurred[doc_id]]
            occurred[doc_id] += 1
            metrics = sample["metrics"] if "metrics" in sample else [m for m in form.metrics if m in sample]
            if "arguments" in sample:
                requests[doc_id] = questions.of_sample(sample["arguments"])
            else:
                complete = False
            hashes.add((doc_id, *map(sample.get, ("doc_hash", "prompt_hash", "target_hash"))))
            samples.count += bool(metrics)
            for metric in metrics or ():
                scores.append((doc_id, str(name), str(metric), per_document(metric, sample.get(metric))))
                responses.add(str(metric), sample, requests.get(doc_id))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"{where}: {error!r}") from error
    for (doc_id, name, metric, adds), response in zip(scores, responses.settle(), strict=True):
        samples.rows.append((doc_id, name, metric, adds.value, adds.weight, response, adds.terms))
    if requests and complete:
        samples.questions_hash = questions.questions_hash(requests)
    samples.requests_hash = _hash(hashes)
    return samples


def find_samples(results: Path, task: str, config: Mapping[str, Any], written_at: str) -> Path | None:
    """The file that lm-eval wrote beside the results: both names end in the same date.

    Until 0.4.2 it was named after the model's arguments instead.
    """
    names = [f"samples_{task}_{written_at}.jsonl"]
    if isinstance(arguments := config.get("model_args"), str):
        names.append(f"{arguments.replace('/', '__').replace('=', '__')}_{task}.jsonl")
    return next((path for name in names if (path := _beside(results, name)) is not None), None)


def _beside(results: Path, name: str) -> Path | None:
    """None too for a name that no file could have."""
    if "/" in name or "\0" in name or len(name.encode()) > 255:
        return None
    path = results.parent / name
    return path if path.is_file() else None


def _samples(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The samples with their places: a JSON object a line, or (until 0.4.2) one JSON list."""
    with path.open("rb") as file:
        first = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first == b"[":
        for number, sample in enumerate(_parsed(path.read_bytes(), path.name), 1):
            yield f"{path.name}, sample {number}", sample
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip(b" \t\r\n\xef\xbb\xbf"):
                where = f"{path.name}, line {number}"
                yield where, _parsed(line, where)


def _parsed(content: bytes, where: str) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: {error}") from error


def _doc_id(value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST_DOCUMENTS:
        raise ValueError(f"doc_id {str(value)[:40]} is no number of a document")
    return value


def _hash(requests: set[tuple[Any, ...]]) -> str | None:
    if not requests or any(None in one for one in requests):
        return None
    return "lm-eval " + sha256(json.dumps(sorted(requests, key=repr)).encode()).hexdigest()
