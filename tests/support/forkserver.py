"""The server that `forked` asks for processes: imports once, then forks for whoever connects."""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from forked import ForkedPopen, exactly

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # what is tested lies here, whatever is installed
from prune_tui import ours

PRELOADED = {
    "light": [
        "polars", "rich.table", "rich.live", "tui.cli.app", "tui.cli.deltas", "tui.cli.lines", "tui.cli.live",
        "warehouse.console.process", "warehouse.merging.merge", "warehouse.importers", "warehouse.exporters.bundle",
        "warehouse.read.trace", "warehouse.read.run_diff", "warehouse.read.claims", "warehouse.exporters.export",
        "warehouse.read.rules", "warehouse.stats.pairing", "engine.runs.launch",
    ],
    "model": [
        "engine.worker.attempt", "engine.worker.task_work", "engine.worker.recorder", "engine.worker.preview",
        "engine.worker.list_tasks", "engine.worker.save", "warehouse.merging.merge", "warehouse.stats.pairing",
        # What takes long of the rest that tests import.
        "datasets", "lm_eval.evaluator", "optipfair", "polars", "scipy.stats", "statsmodels.api", "textual.pilot",
        "torch.testing", "transformers.generation.utils", "tui.app",
    ],
}  # fmt: skip


def serve(name: str, path: Path, owner: int) -> None:
    """Import, listen, and fork for whoever asks, until the owner is gone; then leave nothing behind."""
    ours.come_first()
    subprocess.Popen = ForkedPopen  # type: ignore[misc]
    for module in PRELOADED[name]:
        importlib.import_module(module)
    gc.freeze()  # what was imported stays shared: a collection in a forked process would write to all of its pages
    _serve(path, owner)
    shutil.rmtree(path.parent, ignore_errors=True)


def _serve(path: Path, owner: int) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    draft = path.with_suffix(".draft")
    listener.bind(str(draft))
    listener.listen(64)
    draft.rename(path)  # whoever sees it can connect
    waking, woken = socket.socketpair()
    for end in (waking, woken):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    children: dict[int, socket.socket] = {}
    while _lives(owner):
        ready, _, _ = select.select([listener, waking], [], [], 5.0)
        if waking in ready:
            waking.recv(4096)
        if listener in ready:
            link, _ = listener.accept()
            try:
                request, files = _received(link)
            except (ConnectionError, RuntimeError, ValueError):  # whoever asked was killed before all was said
                link.close()
                continue
            begun, begins = os.pipe()
            child = os.fork()
            if child == 0:
                if request["session"]:
                    os.setsid()
                os.close(begins)
                os.close(begun)
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for other in (listener, waking, woken, link, *children.values()):
                    other.close()
                _become(request, files)
            for file in (*files, begins):
                os.close(file)
            os.read(begun, 1)  # as of a process that was started: whoever knows its number can end its session
            os.close(begun)
            with contextlib.suppress(ConnectionError):  # nobody waits for it any more
                link.sendall(child.to_bytes(4, "little"))
            children[child] = link
        _reap(children)


def _lives(owner: int) -> bool:
    try:
        os.kill(owner, 0)
    except ProcessLookupError:
        return False
    return True


def _reap(children: dict[int, socket.socket]) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        link = children.pop(child)
        with contextlib.suppress(ConnectionError):  # nobody waits for it
            link.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
        link.close()


def _received(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    files = array.array("i")
    head, sent, _, _ = link.recvmsg(4, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in sent:
        files.frombytes(data[: len(data) - len(data) % files.itemsize])
    return json.loads(exactly(link, int.from_bytes(head, "little"))), list(files)


def _become(request: dict[str, Any], files: list[int]) -> None:
    """In the forked process: be what was asked for, and end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    code = 1
    try:
        os.chdir(request["folder"])
        code = _ran(request["words"])
    finally:
        with contextlib.suppress(Exception):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code & 0xFF)


def _ran(words: list[str]) -> int:
    recorded = _recorder()
    try:
        match words:
            case ["-m", module, *arguments]:
                sys.argv = [module, *arguments]
                for loaded in (module, f"{module}.__main__"):
                    if hasattr(sys.modules.get(loaded), "__path__"):
                        continue
                    sys.modules.pop(loaded, None)
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case ["-c", code, *arguments]:
                sys.argv = ["-c", *arguments]
                exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
            case [file, *arguments]:
                sys.argv = [file, *arguments]
                sys.path.insert(0, str(Path(file).parent))
                runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        if recorded is not None:
            recorded.stop()
            recorded.save()
    return 0


def _recorder() -> Any:
    """Coverage's record of this process under the name of the test that started it, where tests are recorded."""
    if "MUTANTS_CONFIG" not in os.environ:
        return None
    import coverage

    context = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
    recorded = coverage.Coverage(config_file=os.environ["MUTANTS_CONFIG"], data_suffix=True, context=context)
    recorded.start()
    return recorded


if __name__ == "__main__":
    try:
        serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    except BaseException:
        Path(sys.argv[2]).with_suffix(".failed").touch()
        raise
