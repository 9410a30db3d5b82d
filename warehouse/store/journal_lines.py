"""Finding one event in a run's journal: its line, its place in the file, and whether it still says a number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from warehouse.records.events import Event, numbers_in, parse_line
from warehouse.records.facts import CellFacts, MetricFacts


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a journal: its number from 1, the byte it begins at, its text and the event it holds."""

    path: Path
    number: int
    offset: int
    text: str
    event: Event

    @property
    def cell(self) -> CellFacts | None:
        """What the event says, if it is of a cell."""
        return self.event.data if isinstance(self.event.data, CellFacts) else None

    def metric(self, metric: str, filter: str) -> MetricFacts | None:  # noqa: A002
        """What it says of one metric."""
        metrics = self.cell.metrics if self.cell is not None else ()
        return next((one for one in metrics if (one.metric, one.filter) == (metric, filter)), None)


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
                    for seq in numbers_in(line):
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
                    event = parse_line(line)
                except ValueError:
                    continue
                if event.seq == seq:
                    return JournalLine(self.path, number, offset, line.decode().rstrip("\n"), event)
        return None
