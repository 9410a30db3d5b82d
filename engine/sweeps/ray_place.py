"""A place on a node of a cluster: works on one piece at a time, in a worker process, and hands over what that writes.

It lives in an actor, and knows of Ray nothing but that. Whatever is asked of it may be asked again: a call that failed
may have run. Arguments and answers are plain values.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import pynvml

from engine.errors import UserError
from engine.planning.where import Alone
from engine.runs import runlock
from engine.runs.keeping import Keeper, Process
from engine.runs.rundir import RunDir
from engine.runs.stopping import KILL
from engine.sweeps.streaming import Answer, Request, answer, lay_out
from warehouse.store import cache

MISSED_AFTER = 120.0  # seconds without a question after which whoever asked is taken for gone
_LEAVES_AFTER = 600.0  # seconds without a question, and without a worker, after which the place gives its card back
_KEEPS_FOR = 10.0  # seconds for which a worker without a run is kept for the next one
_NEWS_WITHIN = 1.0  # seconds for which a question waits for something to answer
_LOOKS_EVERY = 0.05


@dataclass(slots=True)
class _Work:
    run: RunDir
    attempt: int
    worker: Process


class Place:
    """`folder` is where pieces are laid out: the user's cache on that node."""

    def __init__(self, alone: Alone, folder: Path | None = None) -> None:
        """Raises:
        UserError: there is no folder for pieces.
        """
        found = folder or cache.folder("pieces")
        if found is None:
            raise UserError(f"There is no cache folder on {socket.gethostname()}: PRUNE_TUI_CACHE names another.")
        cache.clear(found)
        self._folder = found
        self._alone: Alone = alone
        self._work: _Work | None = None
        self._keeper = Keeper()
        self._idle_since = time.monotonic()
        self._spoken_to = time.monotonic()
        self._lock = threading.Lock()  # an actor's calls come in several threads
        _forget_what_ray_set()
        threading.Thread(target=self._watch, name="alone", daemon=True).start()

    def facts(self) -> dict[str, Any]:
        """Where it is, what it has, and which attempt at which run it has in hand."""
        self._spoken_to = time.monotonic()
        name, room = _device()
        return {
            "host": socket.gethostname(),
            "device": name,
            "room": room,
            "folder": str(self._folder),
            "version": version("prune-tui"),
            "in_hand": None if self._work is None else (self._work.run.run_id, self._work.attempt),
        }

    def sees(self, token: str, text: str) -> bool:
        """Whether a file of another host is here as well, and a lock that is held there counts here."""
        path = Path(token)
        try:
            if path.read_text(encoding="utf-8") != text:
                return False
        except OSError:
            return False
        return runlock.holder(path.with_suffix(".lock")) is not None

    def start(self, run_id: str, attempt: int, files: Mapping[str, bytes], shared: str | None) -> None:
        """Begin an attempt at a piece, in a folder of its own, or in the one at `shared`. Once, however often it is
        asked for; what it had in hand before ends.

        Raises:
            UserError, OSError: the worker cannot be started.
        """
        self._spoken_to = time.monotonic()
        with self._lock:
            if self._work is not None:
                if (self._work.run.run_id, self._work.attempt) == (run_id, attempt):
                    return
                _kill(self._work.worker)
                self._work = None
            if shared is None:
                self._forget(run_id, before=attempt)
                run = RunDir(self._of(run_id, attempt))
                lay_out(run.path, dict(files))
            else:
                run = RunDir(Path(shared))
            self._work = _Work(run, attempt, self._begin(run))

    def _begin(self, run: RunDir) -> Process:
        return self._keeper.start(run, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, carried=True)

    def pull(self, request: Request) -> Answer:
        """What there is beyond what is asked with, and once that is all how its worker ended; waits a second for news.

        With `shared` in the request nothing but the end is told. `stop` is `ask` or `kill`.
        """
        self._spoken_to = time.monotonic()
        work = self._in_hand(request)
        if work is not None and request["stop"] == KILL:
            _kill(work.worker)
        elif work is not None and request["stop"]:
            work.run.stop_path.touch()
        until = time.monotonic() + _NEWS_WITHIN
        while True:
            code = None if work is None else work.worker.poll()  # first: a worker writes its last event before it ends
            if request["shared"]:
                found: Answer = {"attempt": request["attempt"], "drained": True}
            else:
                found = answer(self._of(request["run"], request["attempt"]), request)
            found["code"] = code if found["drained"] else None
            found["in_hand"] = work is not None
            if not found["drained"] or found["code"] is not None or work is None or time.monotonic() > until:
                return found
            time.sleep(_LOOKS_EVERY)

    def end(self, run_id: str, attempt: int) -> None:
        """End what is left of an attempt, also one of another place on this host: a later one is to begin."""
        self._spoken_to = time.monotonic()
        with self._lock:
            if self._work is not None and (self._work.run.run_id, self._work.attempt) == (run_id, attempt):
                _kill(self._work.worker)
                self._work = None
        folder = self._of(run_id, attempt)
        if folder.is_dir() and (who := RunDir(folder).holder()) is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(who.pid, signal.SIGKILL)

    def forget(self, run_id: str, attempt: int) -> None:
        """All of an attempt is at home."""
        self._spoken_to = time.monotonic()
        self.end(run_id, attempt)
        self._forget(run_id, before=attempt + 1)

    def _let_go(self) -> None:
        """Give the memory of the card back, some seconds after a run that none has followed."""
        if self._work is not None and self._work.worker.poll() is None:
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > _KEEPS_FOR:
            self._keeper.let_go()

    def _in_hand(self, request: Request) -> _Work | None:
        work = self._work
        return work if work and (work.run.run_id, work.attempt) == (request["run"], request["attempt"]) else None

    def _of(self, run_id: str, attempt: int) -> Path:
        return self._folder / f"{run_id}.{attempt}" / run_id

    def _forget(self, run_id: str, *, before: int) -> None:
        """Take away the folders of attempts that nobody works on."""
        for folder in self._folder.glob(f"{run_id}.*"):
            number = folder.name.rpartition(".")[2]
            if number.isdecimal() and int(number) < before and RunDir(folder / run_id).holder() is None:
                shutil.rmtree(folder, ignore_errors=True)

    def _watch(self) -> None:
        """What it does when nobody asks: a worker goes on or stops, and the card is not held for ever."""
        while True:
            time.sleep(1.0)
            silent = time.monotonic() - self._spoken_to
            work = self._work
            is_at_work = work is not None and work.worker.poll() is None
            with self._lock:
                self._let_go()
            if work is not None and is_at_work:
                if self._alone == "stop" and silent > MISSED_AFTER:
                    work.run.stop_path.touch()
            elif silent > _LEAVES_AFTER:
                os._exit(0)


def _kill(worker: Process) -> None:
    """With all that it started: it leads a session of its own."""
    if worker.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        while worker.poll() is None:
            time.sleep(_LOOKS_EVERY)


def _forget_what_ray_set() -> None:
    """A worker is to compute as it would without Ray, which gives a process as many threads as it has cores booked."""
    with suppress(psutil.Error, OSError):
        if "OMP_NUM_THREADS" not in psutil.Process(os.getppid()).environ():
            os.environ.pop("OMP_NUM_THREADS", None)


def _device() -> tuple[str, int | None]:
    """The GPU that Ray gave, as `nvidia-smi` counts, and the bytes of its memory; else the CPU's."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if not visible:
        return "cpu", psutil.virtual_memory().total
    number = visible.split(",")[0]
    try:
        pynvml.nvmlInit()
        try:
            get: Callable[[Any], Any] = (
                pynvml.nvmlDeviceGetHandleByIndex if number.isdecimal() else pynvml.nvmlDeviceGetHandleByUUID
            )
            handle = get(int(number) if number.isdecimal() else number)
            return f"gpu {number}", int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return f"gpu {number}", None
