"""Process `engine.worker RUN_DIR [--carried]`: work on one run until nothing is missing, or until asked to stop.

Exit codes: 0 nothing is missing, 1 some cells failed or the worker met a defect, 2 the plan cannot be carried
out as it stands, 130 stopped. The journal's last event says the same in words.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine.errors import UserError
from engine.runs.launch import CARRIED, REFUSED
from engine.runs.rundir import RunDir
from engine.worker.stopping import heed_file_and_parent
from engine.worker.work import say, work
from warehouse.redaction import RedactingStream


def main(folder: str, *options: str) -> int:
    run, carried = RunDir(Path(folder)), CARRIED in options
    # lm-eval draws progress bars that nobody sees here, and would fork a process that holds a CUDA context.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["DISABLE_MULTIPROC"] = "1"
    sys.stdout, sys.stderr = RedactingStream(sys.stdout), RedactingStream(sys.stderr)  # the log is kept
    if carried:
        heed_file_and_parent(run)
    try:
        return work(run, carried=carried)
    except UserError as error:
        say(str(error))
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
