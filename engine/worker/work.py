"""Working on a run from where its journal ends to its own end, in whatever process this is."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeGuard

from engine.errors import UserError
from engine.runs.launch import FAILED, FINISHED, REFUSED, STOPPED
from engine.runs.rundir import RunDir
from engine.worker.importing import begin_driver, import_transformers, imported
from engine.worker.kept import Kept
from engine.worker.stopping import StopRequested
from warehouse.records.events import Crashed, Finished, Refused, Stopped
from warehouse.store.journal import FULL

if TYPE_CHECKING:
    from engine.worker.recorder import Recorder


def work(run: RunDir, *, carried: bool = False, kept: Kept | None = None) -> int:
    """Do what is missing of a run, and return the exit code; the journal's last event says the same in words.

    Of a run that is `carried` out for somebody elsewhere the database is left alone. `kept` is of the run before.

    Raises:
        UserError: another process works on the run, its journal is damaged, or its disk is full: nothing may, or can,
            be written to it.
    """
    kept = kept or Kept()
    try:
        # Taken and told to stop like any other while it still imports.
        with run.lock(by_file=carried), kept.stop.listening():
            from engine.worker.recorder import Recorder

            recorder = Recorder(run, merges=not carried)
            try:
                return _attempted(run, recorder, kept)
            finally:
                recorder.close()
    except OSError as error:
        if not _is_full(error):
            raise
        raise UserError(_no_room(error)) from error


def _attempted(run: RunDir, recorder: Recorder, kept: Kept) -> int:
    try:
        from engine.worker.tasks_apart import TasksApart

        with TasksApart(run, recorder, kept.stop, kept) as tasks:
            failed: int = _imported(recorder, kept).attempt(run, recorder, kept.stop, tasks, kept.batch_tokens)
        # Before it is called finished, so that a run killed while its results are brought over is resumed for them.
        merged = recorder.merge(wait=5.0, compare_all=True)
        recorder.record(Finished(failed=failed))
        recorder.merge(wait=5.0 if merged else 0.0)
    except StopRequested as request:
        recorder.record(Stopped(reason=str(request)))
        recorder.merge(wait=5.0)
        return STOPPED
    except UserError as error:
        recorder.record(Refused(error=str(error)))
        return REFUSED
    except Exception as error:
        if _is_full(error):
            recorder.record(Refused(error=_no_room(error)))
            return REFUSED
        say(traceback.format_exc())
        recorder.record(Crashed(error=f"{type(error).__name__}: {error}", detail=traceback.format_exc()))
        recorder.merge(wait=5.0)
        return FAILED
    return FAILED if failed else FINISHED


def _imported(recorder: Recorder, kept: Kept) -> Any:
    """The module that makes attempts. A run that finds it imported tells of no such stage, and so of no time that it
    took to start, from which forecasts are made.
    """
    if kept.runs:
        return imported("engine.worker.attempt")
    with recorder.stage("import libraries"):
        begin_driver()
        return imported("engine.worker.attempt", first=import_transformers)


def say(text: str) -> None:
    """Print it for the log, which may lie on a disk that is full: whoever started this looks at the disk as well."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _is_full(error: Exception) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno in FULL


def _no_room(error: OSError) -> str:
    where = f" for {error.filename}" if error.filename else ""
    return f"There is no room{where} ({error.strerror}): free some space, then go on. What was recorded so far is kept."
