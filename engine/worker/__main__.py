"""Process `engine.worker RUN_DIR [--carried] [--stays]`: work on a run until nothing is missing, or until stopped.

Exit codes: 0 nothing is missing, 1 some cells failed or the worker met a defect, 2 the plan cannot be carried
out as it stands, 130 stopped. The journal's last event says the same in words. One that stays works on another run
afterwards, if it is given one (`engine.worker.staying`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.runs.launch import CARRIED, STAYS
from engine.runs.rundir import RunDir
from engine.worker.staying import stay, worked
from warehouse.redaction import RedactingStream


def main(folder: str, *options: str) -> int:
    run, carried = RunDir(Path(folder)), CARRIED in options
    # lm-eval draws progress bars that nobody sees here, and would fork a process that holds a CUDA context.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["DISABLE_MULTIPROC"] = "1"
    sys.stdout, sys.stderr = RedactingStream(sys.stdout), RedactingStream(sys.stderr)  # the log is kept
    return stay(run, carried=carried) if STAYS in options else worked(run, carried=carried)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
