"""What a worker and its process for tasks say to one another."""

from __future__ import annotations

import pickle
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

from warehouse.records.events import Data
from warehouse.records.facts import CellFacts, DocumentsFacts, TaskFacts
from warehouse.records.run_state import RunHistory


@dataclass(frozen=True, slots=True)
class Begin:
    """To the process: the run that it works for, and what earlier attempts left behind. If it `stays`, another run may
    follow.
    """

    folder: str
    attempt: int
    history: RunHistory
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Reads:
    """To the process: how the model reads. `tokenizer` is pickled; None where it has to be loaded from `source`."""

    max_length: int
    tokenizer: bytes | None
    source: str
    revision: str | None
    model_type: str


@dataclass(frozen=True, slots=True)
class Knows:
    """To the process: how many tokens the model has embeddings for; requests can be written from now on."""

    vocab_size: int


@dataclass(frozen=True, slots=True)
class TellDocuments:
    """To the process: `Documents` are wanted."""


@dataclass(frozen=True, slots=True)
class Judge:
    """To the process: what a task's requests were answered at a level."""

    level: str
    task: str
    answers: Sequence[Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Aggregate:
    """To the process: a level is done, and groups that have all of their tasks can be aggregated."""

    level: str


@dataclass(frozen=True, slots=True)
class End:
    """To the process: nothing more will come."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """From the process: all tasks are loaded. `code`: hashes of their files; `whole`: all of their documents count;
    `writes`: some want texts."""

    code: dict[str, str]
    whole: bool
    writes: bool


@dataclass(frozen=True, slots=True)
class Supplied:
    """From the process: the tasks that will come, in the order of their evaluation, and those that will not."""

    names: tuple[str, ...]
    broken: dict[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """From the process: a task's requests. `requests`: each one's type, arguments, document, index and repeats, pickled
    since that is read faster than instances are; `tokens` as `Prompts.packed` gives them."""

    facts: TaskFacts
    requests: bytes
    tokens: bytes


@dataclass(frozen=True, slots=True)
class LeftOut:
    """From the process: a task that cannot be built, though the others can."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Documents:
    """From the process: the documents of all tasks, each after its task's name."""

    documents: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """From the process: something for the journal."""

    data: Data


@dataclass(frozen=True, slots=True)
class KeepCell:
    """From the process: a cell for the journal, which is known from now on."""

    cell: CellFacts


@dataclass(frozen=True, slots=True)
class KeepDocuments:
    """From the process: a file of documents for the journal, which is known from now on."""

    documents: DocumentsFacts


@dataclass(frozen=True, slots=True)
class Said:
    """From the process: something for the journal and the log."""

    message: str
    level_name: str


@dataclass(frozen=True, slots=True)
class Merge:
    """From the process: the warehouse can be brought up to date."""


@dataclass(frozen=True, slots=True)
class Judged:
    """From the process: the oldest `Judge` is done with."""


@dataclass(frozen=True, slots=True)
class Failed:
    """From the process: no more tasks will come, no documents, or no judgements."""

    of: Literal["tasks", "documents", "judging"]
    error: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """From the process: all that was to be judged is, and so many cells failed."""

    failed: int


@dataclass(frozen=True, slots=True)
class Rests:
    """From the process: nothing more comes of this run, and another one may begin."""


class Wire:
    """Messages both ways, each whole; any thread may send, one receives."""

    def __init__(self, incoming: Connection, outgoing: Connection) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._sending = threading.Lock()

    def send(self, message: Any) -> None:
        """Raises:
        OSError: the other side is gone.
        """
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        with self._sending:
            self._outgoing.send_bytes(content)

    def receive(self) -> Any:
        """Raises:
        EOFError: the other side is gone.
        """
        return pickle.loads(self._incoming.recv_bytes())

    def close(self) -> None:
        """Nothing more is sent."""
        with self._sending:
            self._outgoing.close()


def packed_error(error: BaseException) -> bytes:
    """An exception for another process, with where it arose as a note; by its words alone if it cannot be pickled."""
    note = "".join(traceback.format_exception(error)).rstrip()
    try:
        content = pickle.dumps(error)
        again = pickle.loads(content)
    except Exception:  # a library's own, which may need whatever it likes to be made again
        again = RuntimeError(f"{type(error).__name__}: {error}")
    again.add_note(note)
    return pickle.dumps(again)
