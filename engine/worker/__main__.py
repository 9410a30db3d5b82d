"""Process `engine.worker RUN_DIR`: work on one run until nothing is missing, or until asked to stop.

Exit codes: 0 nothing is missing, 1 some cells failed or the worker met a defect, 2 the plan cannot be carried
out as it stands, 130 stopped. The journal's last event says the same in words.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from engine.errors import UserError
from engine.launch import FAILED, FINISHED, REFUSED, STOPPED
from engine.rundir import RunDir
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
    except UserError as error:  # the run is taken, or its journal is damaged: nothing may be written to it
        print(error, file=sys.stderr)
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
        print(traceback.format_exc(), file=sys.stderr, flush=True)
        recorder.record(Crashed(error=f"{type(error).__name__}: {error}", detail=traceback.format_exc()))
        recorder.merge(wait=5.0)
        return FAILED
    finally:
        recorder.close()
    return FAILED if failed else FINISHED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
