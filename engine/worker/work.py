"""Working on a run from where its journal ends to its own end, in whatever process this is."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.launch import FAILED, FINISHED, REFUSED, STOPPED
from engine.rundir import RunDir
from engine.worker.stopping import StopFlag, StopRequested
from warehouse.records.events import Crashed, Finished, Refused, Stopped

if TYPE_CHECKING:
    from engine.worker.recorder import Recorder


def work(run: RunDir) -> int:
    """Do what is missing of a run, and return the exit code; the journal's last event says the same in words.

    Raises:
        UserError: another process works on the run, or its journal is damaged: nothing was written to it.
    """
    stop = StopFlag()
    # Taken and told to stop like any other while it still imports.
    with run.lock(), stop.listening():
        from engine.worker.recorder import Recorder

        recorder = Recorder(run)
        try:
            return _attempted(run, recorder, stop)
        finally:
            recorder.close()


def _attempted(run: RunDir, recorder: Recorder, stop: StopFlag) -> int:
    try:
        with recorder.stage("import libraries"):
            from engine.worker.attempt import attempt
        failed = attempt(run, recorder, stop)
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
        print(traceback.format_exc(), file=sys.stderr, flush=True)
        recorder.record(Crashed(error=f"{type(error).__name__}: {error}", detail=traceback.format_exc()))
        recorder.merge(wait=5.0)
        return FAILED
    return FAILED if failed else FINISHED
