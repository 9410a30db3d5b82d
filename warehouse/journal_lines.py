"""Finding one event in a run's journal: its line, its place in the file, and whether it still says a number."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.records.events import parse_line


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


def find_line(path: Path, seq: int) -> JournalLine | None:
    """The line of the event with this number; None where no complete line is it. Damaged lines are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    mentions = re.compile(rb'"seq"\s*:\s*%d\b' % seq)
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n") and mentions.search(line):
                try:
                    parse_line(line)
                    event = json.loads(line)
                except ValueError:
                    event = None
                if isinstance(event, dict) and event.get("seq") == seq:
                    return JournalLine(path, number, offset, line.decode().rstrip("\n"), event)
            offset += len(line)
    return None
