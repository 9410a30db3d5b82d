"""Finding one event in a run's journal: its line, its place in the file, and whether it still says a number."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.records.events import parse_line

_SEQ = re.compile(rb'"seq"\s*:\s*(\d+)\b')


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a journal: its number from 1, the byte it begins at, its text and the event it holds."""

    path: Path
    number: int
    offset: int
    text: str
    event: dict[str, Any]

    def metric(self, metric: str, filter: str) -> dict[str, Any] | None:  # noqa: A002
        """What a `cell` event says of one metric."""
        told = self.event.get("metrics")
        for one in told if isinstance(told, list) else ():
            if isinstance(one, dict) and one.get("metric") == metric and one.get("filter") == filter:
                return one
        return None


class JournalIndex:
    """The lines of one journal by the number of their event; the file is read through once, whatever is asked."""

    def __init__(self, path: Path) -> None:
        """Raises:
        OSError: the file cannot be read.
        """
        self.path = path
        self._places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # line numbers from 1, and bytes
        offset = 0
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    for seq in {int(found) for found in _SEQ.findall(line)}:
                        self._places[seq].append((number, offset))
                offset += len(line)

    def find(self, seq: int) -> JournalLine | None:
        """The line of the event with this number; None where no complete line is it. Damaged lines are passed over.

        Raises:
            OSError: the file cannot be read.
        """
        places = self._places.get(seq, [])
        if not places:
            return None
        with self.path.open("rb") as file:
            for number, offset in places:
                file.seek(offset)
                line = file.readline()
                try:
                    parse_line(line)
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict) and event.get("seq") == seq:
                    return JournalLine(self.path, number, offset, line.decode().rstrip("\n"), event)
        return None
