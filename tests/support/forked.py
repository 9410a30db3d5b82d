"""Our own processes, forked from one that has imported what they need: real processes without the seconds of imports.

`install` makes `subprocess.Popen` ask a server for every process that would run one of `SERVED`; what else is started
is started as ever. A served process has its own number, session, folder, environment and files, can be killed, and
ends with its own exit code. What it does not have is an interpreter that starts from nothing: tests of that are
marked `real_process`.

One server has the command line and the warehouse ("light"), one the model stack as well ("model"). Each begins when it
is first needed, and ends with the process that began it. Where all tests are run, xdist's workers come from the second:
they need not import all that the tests do one after the other.
"""

from __future__ import annotations

import array
import inspect
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

TESTS = Path(__file__).resolve().parents[1]
SERVED = {
    "warehouse.console.process": "light",
    "prune_tui": "light",
    str(TESTS / "tui/cli/with_fake_worker.py"): "light",
    str(TESTS / "tui/cli/fake_worker.py"): "light",
    "engine.worker": "model",
    "engine.worker.task_process": "model",
    "engine.worker.preview": "model",
    "engine.worker.list_tasks": "model",
    "engine.worker.save": "model",
    str(TESTS / "support/lm_eval_of_a_folder.py"): "model",
    "import sys;exec(eval(sys.stdin.readline()))": "model",  # one of xdist's workers
}
_SERVER = Path(__file__).with_name("forkserver.py")
_FOLDER = "TESTS_FORKSERVER_FOLDER"  # not set: everything is started as ever
_OWNER = "TESTS_FORKSERVER_OWNER"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, owner: int) -> None:
    """Ask servers whose sockets lie in `folder`, in this process and in those that it starts.

    They end once the process `owner` is gone.
    """
    monkeypatch.setenv(_FOLDER, str(folder))
    monkeypatch.setenv(_OWNER, str(owner))
    monkeypatch.setattr(subprocess, "Popen", ForkedPopen)


def shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every process as ever, in this process and in those that it starts."""
    monkeypatch.delenv(_FOLDER, raising=False)


def _place_of(command: Any, environment: dict[str, str]) -> tuple[str, list[str]] | None:
    """The server for a command, and what it is to run: "-m", "-c" or a file, and its arguments."""
    if _FOLDER not in environment or not isinstance(command, list | tuple) or list(command[:1]) != [sys.executable]:
        return None
    words = [os.fspath(word) for word in command[1:]]
    if words[:1] in (["-P"], ["-u"]):
        words = words[1:]
    if words[:2] == ["-m", "prune_tui.process"]:  # whose work, finding our packages, the server has done
        words = ["-m", *words[2:]]
    what = words[1] if words[:1] in (["-m"], ["-c"]) and len(words) > 1 else "".join(words[:1])
    server = SERVED.get(what)
    if server is None or _interpreter(environment) != _interpreter(dict(os.environ)):
        return None
    return server, words


def _interpreter(environment: dict[str, str]) -> dict[str, str]:
    """What an interpreter reads from its environment when it starts: a forked one has read it already."""
    return {
        key: value
        for key, value in environment.items()
        if (key.startswith("PYTHON") and key != "PYTHONFAULTHANDLER") or key == "LD_PRELOAD"
    }


class ForkedPopen(subprocess.Popen):
    """`subprocess.Popen`, whose process is forked from a server where there is one for it."""

    _status: socket.socket | None = None

    def _execute_child(self, *arguments: Any) -> None:  # type: ignore[override]
        asked = inspect.signature(super()._execute_child).bind(*arguments).arguments  # type: ignore[misc]
        environment = dict(os.environ if asked["env"] is None else asked["env"])
        place = None
        if not (asked["preexec_fn"] or asked["shell"] or asked["pass_fds"]):
            place = _place_of(asked["args"], environment)
        if place is None:
            super()._execute_child(*arguments)  # type: ignore[misc]
            return
        server, words = place
        self._fork(server, words, environment, asked)

    def _fork(self, server: str, words: list[str], environment: dict[str, str], asked: dict[str, Any]) -> None:
        given = [asked["p2cread"], asked["c2pwrite"], asked["errwrite"]]
        files = [number if own == -1 else own for number, own in enumerate(given)]
        request = {
            "words": words,
            "environment": environment,
            "folder": os.fspath(asked["cwd"] or Path.cwd()),
            "session": asked["start_new_session"],
        }
        self._child_created = True
        self._status = _connect(server)
        payload = json.dumps(request, ensure_ascii=True).encode()
        sent = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
        self._status.sendmsg([len(payload).to_bytes(4, "little")], sent)
        self._status.sendall(payload)
        self.pid = int.from_bytes(exactly(self._status, 4), "little")
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[pipe] for pipe in pipes))  # type: ignore[attr-defined]

    def _internal_poll(self, *arguments: Any, **more: Any) -> int | None:
        if self._status is None:
            return super()._internal_poll(*arguments, **more)  # type: ignore[misc]
        if self.returncode is None and self._waitpid_lock.acquire(False):  # type: ignore[attr-defined]
            try:
                self._look(0)
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._status is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc]
        ended = self._look(0 if wait_flags & os.WNOHANG else None)
        return (self.pid, self.returncode) if ended else (0, 0)

    def _handle_exitstatus(self, sts: int, *arguments: Any, **more: Any) -> None:
        if self._status is None:
            super()._handle_exitstatus(sts, *arguments, **more)  # type: ignore[misc]

    def _look(self, patience: float | None) -> bool:
        """Whether the process has ended; then its return code is known."""
        assert self._status is not None
        if self.returncode is None and select.select([self._status], [], [], patience)[0]:
            code = int.from_bytes(exactly(self._status, 4), "little", signed=True)
            self._status.close()
            self.returncode = code
        return self.returncode is not None


def exactly(link: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = link.recv(count - len(got))
        if not part:
            raise RuntimeError("the server of forked processes has ended")
        got += part
    return got


_starting = threading.Lock()


def _connect(name: str) -> socket.socket:
    """A connection to a server, which is started where it is not there yet."""
    path = Path(os.environ[_FOLDER]) / name
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    deadline = time.monotonic() + 120
    with _starting:
        while True:
            try:
                link.connect(str(path))
                return link
            except (FileNotFoundError, ConnectionRefusedError):
                log = path.with_suffix(".log").read_text() if path.with_suffix(".failed").exists() else ""
                assert time.monotonic() < deadline, f"no server at {path}"
                assert not log, log
            _start(name, path)
            time.sleep(0.02)


def _start(name: str, path: Path) -> None:
    """Start a server, unless another process is about to: who makes the lock file starts it."""
    try:
        path.with_suffix(".lock").touch(exist_ok=False)
    except FileExistsError:
        return
    with path.with_suffix(".log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, _SERVER, name, str(path), os.environ[_OWNER]],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    server.returncode = 0  # it is nobody's to wait for
