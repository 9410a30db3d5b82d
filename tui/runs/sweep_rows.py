"""A sweep as the screens show it: its runs, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.format import done_of
from tui.runs.record import RunRow
from warehouse.records.names import short_name, sweep_called
from warehouse.records.run_state import RunState

_ENDED_BADLY = (RunState.CRASHED, RunState.REFUSED, RunState.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """`pieces` are its runs in the order they were made; `driven` says that somebody carries it out, who will begin
    those that wait.
    """

    sweep: str
    pieces: tuple[RunRow, ...]
    driven: bool = False

    @property
    def name(self) -> str:
        return sweep_called(self.sweep, next((piece.sweep_name for piece in self.pieces if piece.sweep_name), None))

    @property
    def done(self) -> int:
        """Pieces that are finished."""
        return sum(piece.state == RunState.FINISHED for piece in self.pieces)

    @property
    def state(self) -> str:
        """At work as long as somebody sees to it; else the worst of its pieces', else that of what is left."""
        states = [piece.state for piece in self.pieces]
        if self.driven or RunState.RUNNING in states:
            return RunState.RUNNING
        for bad in (*_ENDED_BADLY, "damaged", RunState.STOPPED):
            if bad in states:
                return bad
        if RunState.QUEUED in states:
            return RunState.QUEUED if set(states) == {RunState.QUEUED} else RunState.STOPPED
        return RunState.FINISHED_WITH_FAILURES if RunState.FINISHED_WITH_FAILURES in states else RunState.FINISHED

    @property
    def waiting(self) -> int:
        """Pieces that were not begun."""
        return sum(piece.state == RunState.QUEUED for piece in self.pieces)

    def has(self, run_id: str | None) -> bool:
        return any(piece.run_id == run_id for piece in self.pieces)

    @property
    def seconds_left(self) -> float | None:
        """Of what is at work; not known while pieces wait for their turn."""
        left = [piece.seconds_left for piece in self.pieces if piece.running]
        if self.waiting or not left or any(one is None for one in left):
            return None
        return max(one for one in left if one is not None)

    @property
    def places(self) -> dict[tuple[str, str], list[RunRow]]:
        """The pieces that were begun, by host and device, in the order these were first used."""
        found: dict[tuple[str, str], list[RunRow]] = {}
        for piece in self.pieces:
            if piece.host is not None:
                found.setdefault((piece.host, piece.device), []).append(piece)
        return found

    def total_of(self, piece: RunRow) -> int | None:
        """Its evaluations: of one that does not know yet what its groups hold, as another with the same tasks tells."""
        if piece.total is not None:
            return piece.total
        told = (one for one in self.pieces if one.total and one.tasks == piece.tasks)
        return next((one.total // len(one.levels) * len(piece.levels) for one in told if one.total), None)

    @property
    def shown(self) -> RunRow:
        """The run that stands for all where one is looked at: one at work, if any is."""
        return next((one for one in self.pieces if one.running), self.pieces[0])

    def row(self) -> RunRow:
        """All of it as one line of the list of runs."""
        totals = [self.total_of(piece) for piece in self.pieces]
        models = list(dict.fromkeys(piece.model for piece in self.pieces if piece.model))
        methods = list(dict.fromkeys(piece.pruned_with for piece in self.pieces if piece.method))
        failed = sum(piece.failed for piece in self.pieces)
        return RunRow(
            run_id=self.sweep,
            name=self.name,
            model=models[0] if len(models) == 1 else f"{len(models)} models",
            method=", ".join(methods),
            levels=tuple(dict.fromkeys(level for piece in self.pieces for level in piece.levels)),
            tasks=tuple(dict.fromkeys(task for piece in self.pieces for task in piece.tasks)),
            suite=_same([piece.suite for piece in self.pieces]),
            state=self.state,
            done=sum(piece.done for piece in self.pieces),
            failed=failed,
            total=None if None in totals else sum(total or 0 for total in totals),
            current=None,
            seconds_left=self.seconds_left,
            created_at=self.pieces[0].created_at,
            sweep=self.sweep,
            pieces=len(self.pieces),
        )

    def advice(self, *, opened: bool = False) -> str:
        """How it stands, in a sentence, and what can be done about it; `opened` where its runs are on the screen."""
        shows = "" if opened else "enter shows its runs, "
        done = "" if opened else f"{done_of(self.done, len(self.pieces), 'run')}; "
        at_work = sum(piece.running for piece in self.pieces)
        waiting = self.waiting
        match self.state:
            case RunState.RUNNING:
                rest = f", {waiting} to come" if waiting and self.driven else ""
                if waiting and not self.driven:
                    rest = f", and nobody will begin the {waiting} that wait"
                return f"{done}{at_work} at work{rest}. {shows}x stops all of it."
            case RunState.FINISHED:
                return f"Finished: {done}{shows}W shows the results."
            case RunState.QUEUED:
                return "None of its runs was begun. r carries it out."
            case _:
                return f"{done}nobody works on what is left. {shows}r goes on with it.".capitalize()


def sweeps_of(rows: Iterable[RunRow], driven: Iterable[str] = (), *, least: int = 2) -> dict[str, SweepRow]:
    """Those of which there are so many runs at least, by their ids."""
    by_sweep: dict[str, list[RunRow]] = {}
    for row in rows:
        if row.sweep is not None and row.folder is not None:
            by_sweep.setdefault(row.sweep, []).append(row)
    driven = set(driven)
    return {
        sweep: SweepRow(sweep=sweep, pieces=tuple(sorted(pieces, key=lambda row: row.run_id)), driven=sweep in driven)
        for sweep, pieces in by_sweep.items()
        if len(pieces) >= least
    }


def grouped(rows: Sequence[RunRow], sweeps: dict[str, SweepRow]) -> list[RunRow]:
    """The rows with each sweep's runs gathered in one."""
    found: dict[str, RunRow] = {}
    for row in rows:
        if row.sweep in sweeps and row.folder is not None:
            found.setdefault(row.sweep, sweeps[row.sweep].row())
        else:
            found[row.run_id] = row
    return list(found.values())


def what_tells_apart(piece: RunRow, pieces: Sequence[RunRow]) -> str:
    """What of a piece differs from the others: of one model its method alone."""
    parts = [short_name(piece.model)] if len({one.model for one in pieces}) > 1 else []
    if len({one.pruned_with for one in pieces}) > 1:
        parts.append(piece.pruned_with.upper())
    return " ".join(parts)


def _same(values: Sequence[str | None]) -> str | None:
    return values[0] if len(set(values)) == 1 else None
