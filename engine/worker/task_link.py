"""A process for tasks, and the wire to it."""

from __future__ import annotations

import os
import subprocess
from multiprocessing.connection import Connection

from engine.worker.wire import Wire
from warehouse.processes import module_command


class TaskProcess:
    """Begins at once."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            module_command("engine.worker.task_process"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with self.popen.stdin as outgoing, self.popen.stdout as incoming:  # type: ignore[union-attr]
            self.wire = Wire(
                Connection(os.dup(incoming.fileno()), writable=False),
                Connection(os.dup(outgoing.fileno()), readable=False),
            )

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def end(self) -> None:
        self.kill()
        self.wire.close()
