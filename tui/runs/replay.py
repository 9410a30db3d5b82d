"""Playing a run back from its journal, at any speed."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

from engine.runs.rundir import RunDir
from tui.runs.record import RunDetail, RunRecord
from warehouse.read.headlines import headlines
from warehouse.records.events import Ending, Event
from warehouse.records.run_state import RunState

# Nobody wants to watch a night in which nothing ran: a pause between attempts is cut down to this.
_LONGEST_GAP = 30.0
# The demo as it once ran (docs/recording.py made it), for those who have no run of their own yet.
RECORDING = Path(__file__).with_name("recordings") / "demo"


class Replay:
    """A run's journal and a position in it, in seconds from its beginning (pauses between events cut short).

    Raises:
        UserError: the plan or the journal is damaged, or nothing was recorded.
    """

    def __init__(self, folder: Path) -> None:
        self.run = RunDir(folder)
        self.plan = self.run.plan
        self._events = self.run.events()
        self._times = _timeline(self._events)
        self.position = 0.0
        self._fed = 0
        self._record = self._new()

    @property
    def length(self) -> float:
        return self._times[-1] if self._times else 0.0

    @property
    def at_end(self) -> bool:
        return self._fed == len(self._events)

    def move(self, seconds: float) -> None:
        """Go on (or back) by so many seconds of the run's own time."""
        self.position = min(max(self.position + seconds, 0.0), self.length)
        count = bisect_right(self._times, self.position)
        if count < self._fed:
            self._record, self._fed = self._new(), 0
        for event in self._events[self._fed : count]:
            self._record.feed(event)
        self._fed = count

    def detail(self) -> RunDetail:
        """The run as it stood at this position."""
        ended = self._fed > 0 and (self.at_end or isinstance(self._events[self._fed - 1].data, Ending))
        return self._record.detail(headlines(), None if ended else RunState.RUNNING)

    def _new(self) -> RunRecord:
        return RunRecord(self.plan, run_id=self.run.run_id, created_at=self.run.created_at, folder=self.run.path)


def _timeline(events: list[Event]) -> list[float]:
    times: list[float] = []
    for index, event in enumerate(events):
        gap = min(max(event.t - events[index - 1].t, 0.0), _LONGEST_GAP) if index else 0.0
        times.append(times[-1] + gap if times else 0.0)
    return times
