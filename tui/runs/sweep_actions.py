"""What can be done to a whole sweep. These block: call them in a thread."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError
from engine.runs import removal
from engine.runs.rundir import RunDir
from engine.sweeps import driving, groups, steering
from tui.runs.sweep_rows import SweepRow


def resume(row: SweepRow, database: Path) -> None:
    """Have what is missing done, where its runs were last worked on.

    Raises:
        UserError, OSError: it cannot be taken up; says why.
    """
    runs = groups.members(database, row.sweep)
    steering.carry_on(runs, database, steering.where_of(runs, database))


def stop(row: SweepRow, database: Path) -> None:
    """Ask for it.

    Raises:
        UserError: nobody works on it.
    """
    steering.stop(row.sweep, database)


def delete(row: SweepRow, database: Path) -> None:
    """Remove all of its runs for good.

    Raises:
        UserError: somebody carries it out, or a run is being worked on; those before it are gone then.
    """
    if (who := driving.carried_out_by(database, row.sweep)) is not None:
        raise UserError(f"Sweep {row.name} is being carried out by {who}: stop it first (x).")
    for piece in row.pieces:
        folder = RunDir(piece.folder) if piece.folder is not None and piece.folder.exists() else None
        removal.delete(piece.run_id, folder, database)
