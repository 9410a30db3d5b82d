"""The events of a run, a dataclass for each kind, and the one place that reads and writes them.

    {"seq":7,"t":1764000000.123,"kind":"cell","level":"40","task":"piqa", … ,"crc":"90ab12cd"}

`seq` counts up from 0 without gaps and, with the run's id, names an event for good; `t` is Unix time in seconds. The
other fields are those of the kind's dataclass, and at the end the CRC-32 of the line's bytes before it, which older
lines lack. NaN and infinities are written as Python's json does (`NaN`, `Infinity`) and are legal where a metric's
value may be one. Kinds and fields of a newer program are passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, cast
from zlib import crc32

from warehouse.records.before_columns import conditions_before
from warehouse.records.conditions import Conditions
from warehouse.records.facts import (
    CalibrationFacts,
    CellFacts,
    DocumentsFacts,
    FailureFacts,
    FoundTask,
    ModelFacts,
    TaskFacts,
    VariantFacts,
)
from warehouse.records.measurements import MachineFacts, MeasurementFacts
from warehouse.records.reading import Reading
from warehouse.records.values import Count, LevelText, Moment, Seconds, read
from warehouse.redaction import redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What the run is going to do: the plan as plain values, and what its "auto" became.

    `sentence` is what is known of the conditions in words only: of published figures, and of earlier versions' imports.
    """

    plan: dict[str, Any]
    dtype: str | None
    conditions: Conditions
    origin: str = "run"
    sentence: str | None = None

    @property
    def name(self) -> str:
        return self.plan["name"]

    @property
    def label(self) -> str | None:
        """The conditions for people, None where nothing is known of them."""
        return self.sentence or self.conditions.label() or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A process takes the run up."""

    attempt: Count
    pid: int | None
    host: str | None
    provenance: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Wall time of something that is not a cell."""

    stage: str
    level: LevelText | None
    seconds: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """How far something has come that is not a cell: `done` of `total` units, None where nobody knows how many.

    The first one is written when it begins; `Stage` when it has ended. Several may be at work at once.
    """

    stage: str
    level: LevelText | None
    done: Count
    total: Count | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksFound:
    """The tasks that will be evaluated, in their order, before their requests are written."""

    tasks: list[FoundTask]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    level: LevelText
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellProgress:
    """`done` and `total` count requests; `tokens` are those so far."""

    level: LevelText
    task: str
    done: Count
    total: Count
    tokens: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSamples:
    samples: list[Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Speed, energy and memory of one width, from an import or a profile."""

    level: LevelText
    measurements: list[MeasurementFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    message: str
    level_name: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """From now on the run is called otherwise than its plan says, whoever takes it up again."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Asked to stop."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Nothing is missing; `failed` cells ended in an error."""

    failed: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The plan cannot be carried out as it stands."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The worker met a defect; `detail` is the traceback."""

    error: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event of a newer program."""

    kind: str


Ending = Stopped | Finished | Refused | Crashed
Data = (
    Planned | Attempt | ModelFacts | VariantFacts | CalibrationFacts | TasksFound | TaskFacts | Stage | StageProgress
    | CellStarted | CellProgress | DocumentsFacts | CellFacts | FailureFacts | GpuSamples | MachineFacts | Measured
    | Log | Renamed | Ending | Unknown
)  # fmt: skip

_KINDS: dict[str, type[Any]] = {
    "plan": Planned,
    "attempt": Attempt,
    "model": ModelFacts,
    "variant": VariantFacts,
    "calibration": CalibrationFacts,
    "task": TaskFacts,
    "stage": Stage,
    "stage_progress": StageProgress,
    "tasks_found": TasksFound,
    "cell_started": CellStarted,
    "progress": CellProgress,
    "documents": DocumentsFacts,
    "cell": CellFacts,
    "cell_failed": FailureFacts,
    "gpu": GpuSamples,
    "machine": MachineFacts,
    "measured": Measured,
    "log": Log,
    "renamed": Renamed,
    "stopped": Stopped,
    "finished": Finished,
    "refused": Refused,
    "crashed": Crashed,
}
_CHECKSUM = re.compile(rb',"crc":"([0-9a-f]{8})"\}\s*\Z')
_SEQ = re.compile(rb'"seq"\s*:\s*(\d+)\b')
_HALF = re.compile("[\ud800-\udfff]")  # of a character: what a file's bytes became that are no UTF-8, say
_NAMES = {kind: name for name, kind in _KINDS.items()}
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal."""

    seq: int
    t: float
    data: Data

    @property
    def kind(self) -> str:
        return self.data.kind if isinstance(self.data, Unknown) else _NAMES[type(self.data)]


@dataclass(frozen=True, slots=True)
class _Head:
    seq: Count
    t: Moment
    kind: str


def of_kind(events: Iterable[Event], kind: type[D]) -> list[D]:
    """What the events of one kind say, in their order."""
    return [event.data for event in events if isinstance(event.data, kind)]


def parse_line(line: bytes) -> Event:
    """The event of one line.

    Raises:
        ValueError: it is none, or says what cannot be; the text names the field.
    """
    checksum = _CHECKSUM.search(line)
    if checksum is not None and int(checksum[1], 16) != crc32(line[: checksum.start()]):
        raise ValueError("its checksum is of other bytes")
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if checksum is None and isinstance(record, dict) and "crc" in record:
        raise ValueError("its checksum cannot be read")
    if rb"\u" in line and _HALF.search(json.dumps(record, ensure_ascii=False)):
        raise ValueError("half a character stands in it")
    return parse_event(record)


def fields_of(line: str | bytes) -> dict[str, Any]:
    """A line that `parse_line` took, as the plain values that stand in it: what a newer program added, too."""
    return json.loads(line)


def numbers_in(line: bytes) -> set[int]:
    """The numbers of which one is the event's, told without reading the line: texts in it may have others."""
    return {int(number) for number in _SEQ.findall(line)}


def is_checked(line: bytes) -> bool:
    """Whether a line has a checksum; those that earlier versions wrote have none."""
    return _CHECKSUM.search(line) is not None


def parse_event(record: Any) -> Event:
    """The event of a line's JSON; errors as `parse_line`."""
    if not isinstance(record, dict):
        raise ValueError("not an event")
    fields = cast("dict[str, Any]", record)
    head = read(_Head, fields)
    return Event(head.seq, head.t, parse_data(head.kind, fields))


def parse_data(kind: str, fields: Mapping[str, Any]) -> Data:
    """What an event says from its kind's own fields, as a journal has them; errors as `parse_line`."""
    if kind not in _KINDS:
        return Unknown(kind)
    if kind == "plan":
        return _planned(fields)
    return read(_KINDS[kind], fields)


def write_line(event: Event) -> bytes:
    """The event's line, with its newline; secrets in its texts are hidden, and half a character is replaced.

    Raises:
        ValueError: it says what cannot be, and could not be read back.
    """
    record = {"seq": event.seq, "t": event.t, "kind": event.kind} | redacted(_plain(event.data))
    text = _HALF.sub("\N{REPLACEMENT CHARACTER}", json.dumps(record, ensure_ascii=False, separators=(",", ":")))
    told = text.encode().removesuffix(b"}")
    line = told + b',"crc":"%08x"}\n' % crc32(told)
    parse_line(line)
    return line


def _plain(data: Data) -> dict[str, Any]:
    match data:
        case Planned():
            told = data.sentence or data.conditions.to_dict()
            return {"plan": data.plan, "dtype": data.dtype, "conditions": told, "origin": data.origin}
        case GpuSamples():
            return {"samples": [reading.to_dict() for reading in data.samples]}
        case _:
            return asdict(data)


def _planned(fields: Mapping[str, Any]) -> Planned:
    """Conditions are columns; older programs, and published figures, have a sentence."""
    plan, dtype, origin = fields.get("plan"), fields.get("dtype"), fields.get("origin", "run")
    if not isinstance(plan, dict) or not isinstance(cast("dict[str, Any]", plan).get("name"), str):
        raise ValueError("plan is missing or has no name")
    for name, told in (("dtype", dtype), ("origin", origin)):
        if not isinstance(told, str | None):
            raise ValueError(f"{name} is {told!r}, not a text")
    told, found = fields.get("conditions"), cast("dict[str, Any]", plan)
    if isinstance(told, dict):
        return Planned(
            plan=found, dtype=dtype, conditions=Conditions.from_dict(cast("dict[str, Any]", told)), origin=origin
        )
    if not isinstance(told, str | None):
        raise ValueError("conditions are neither columns nor a sentence")
    conditions, sentence = conditions_before(found, dtype, origin, told)
    return Planned(plan=found, dtype=dtype, conditions=conditions, origin=origin, sentence=sentence)
