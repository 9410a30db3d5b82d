"""Work in a thread beside the worker's own."""

from __future__ import annotations

from threading import Event

import pytest

from engine.worker.beside import Beside
from engine.worker.stopping import StopFlag, StopRequested


def test_its_result_is_what_the_function_returns() -> None:
    with Beside("sum", lambda: 1 + 1, StopFlag()) as found:
        assert found.result() == 2
        assert found.result() == 2


def test_what_the_function_raises_is_raised_to_whoever_asks() -> None:
    def fail() -> None:
        raise OSError("no such disk")

    with Beside("fail", fail, StopFlag()) as found, pytest.raises(OSError, match="no such disk"):
        found.result()


def test_a_stop_is_noticed_while_it_is_waited_for_and_the_block_ends_with_the_thread() -> None:
    goes_on, stop = Event(), StopFlag()

    def work() -> str:
        stop.reason = "SIGINT"
        assert goes_on.wait(60)
        return "done"

    with Beside("work", work, stop) as found:
        with pytest.raises(StopRequested):
            found.result()
        goes_on.set()
    stop.reason = None
    assert found.result() == "done"
