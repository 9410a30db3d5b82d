"""A run under another name: an event of its journal, as everything that is to be known of it."""

from __future__ import annotations

from engine.errors import UserError
from engine.runs.rundir import RunDir
from warehouse.records.events import Renamed
from warehouse.redaction import refuse_secrets
from warehouse.store.journal import Journal
from warehouse.text import one_line


def rename(run: RunDir, name: str) -> None:
    """Write the name down; whoever reads the run takes the last one.

    Raises:
        UserError: it is no name, or holds a secret; the journal is damaged or full.
        RunBusyError: a process works on the run, and writes the journal.
    """
    if not name or name != one_line(name):
        raise UserError("A run's name is a line of text, without spaces at its ends: give another one.")
    if name == "latest":
        raise UserError("`latest` means the last run, whichever that is: give another name.")
    refuse_secrets({"name": name})
    with run.lock():
        journal = Journal(run.journal_path)
        try:
            journal.append(Renamed(name=name))
        finally:
            journal.close()
