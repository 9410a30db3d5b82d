"""Process `engine.worker RUN_DIR`: work on one run until nothing is missing, or until asked to stop.

Exit codes: 0 nothing is missing, 1 some cells failed or the worker met a defect, 2 the plan cannot be carried
out as it stands, 130 stopped. The journal's last event says the same in words.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TypeGuard

from engine.errors import UserError
from engine.launch import FAILED, FINISHED, REFUSED, STOPPED
from engine.rundir import RunDir
from warehouse.journal import FULL
from warehouse.records.events import Crashed, Finished, Refused, Stopped
from warehouse.redaction import RedactingStream


def main(folder: str) -> int:
    # lm-eval draws progress bars that nobody sees here, and would fork a process that holds a CUDA context.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["DISABLE_MULTIPROC"] = "1"
    sys.stdout, sys.stderr = RedactingStream(sys.stdout), RedactingStream(sys.stderr)  # the log is kept
    run = RunDir(Path(folder))
    try:
        with run.lock():
            return _work(run)
    # The run is taken, its journal is damaged or its disk is full: nothing may, or can, be written to it.
    except UserError as error:
        _print(str(error))
        return REFUSED
    except OSError as error:
        if not _is_full(error):
            raise
        _print(_no_room(error))
        return REFUSED


def _work(run: RunDir) -> int:
    from engine.worker.recorder import Recorder
    from engine.worker.stopping import StopFlag, StopRequested

    stop = StopFlag()
    stop.listen()
    recorder = Recorder(run)
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
        if _is_full(error):
            recorder.record(Refused(error=_no_room(error)))
            return REFUSED
        _print(traceback.format_exc())
        recorder.record(Crashed(error=f"{type(error).__name__}: {error}", detail=traceback.format_exc()))
        recorder.merge(wait=5.0)
        return FAILED
    finally:
        recorder.close()
    return FAILED if failed else FINISHED


def _is_full(error: Exception) -> TypeGuard[OSError]:
    return isinstance(error, OSError) and error.errno in FULL


def _no_room(error: OSError) -> str:
    where = f" for {error.filename}" if error.filename else ""
    return f"There is no room{where} ({error.strerror}): free some space, then go on. What was recorded so far is kept."


def _print(text: str) -> None:
    with suppress(OSError):  # the log may lie on a disk that is full; whoever started this looks at the disk as well
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
