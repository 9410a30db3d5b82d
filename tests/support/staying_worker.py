"""A worker without a model that stays for the next run, and what it tells."""

from __future__ import annotations

import json
import time

import psutil

from engine.runs.keeping import DONE, Process
from engine.runs.rundir import RunDir

# Says in each run's folder which process worked on it, and does what the run's name asks for.
WORKER = f"""
import json, os, sys, time
folder, *options = sys.argv[1:]
while True:
    name = json.load(open(folder + "/plan.json"))["plan"]["name"]
    open(folder + "/worked", "w").write(json.dumps([os.getpid(), options, os.environ.get("MORE")]))
    if name == "fails":
        sys.exit(1)
    while name == "works on" and not os.path.exists(folder + "/enough"):
        time.sleep(0.01)
    if "--stays" not in options:
        sys.exit(0)
    print({DONE.decode()!r}, flush=True)
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    folder = json.loads(line)
"""


def ended(worker: Process) -> int:
    deadline = time.monotonic() + 300
    while (code := worker.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return code


def worked(run: RunDir) -> tuple[int, list[str]]:
    """The process, and the options that it had."""
    number, options, _ = json.loads((run.path / "worked").read_text())
    return number, options


def is_there(number: int) -> bool:
    return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE


def until_gone(number: int) -> None:
    deadline = time.monotonic() + 60
    while is_there(number):
        assert time.monotonic() < deadline
        time.sleep(0.01)
