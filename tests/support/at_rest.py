"""Waiting for a dashboard's messages by what is left of them, rather than by the processor's time.

After each key, Textual's pilot waits until the process has used no processor time for 20 ms, twice: with a feed that
looks and a screen that pulls several times a second, that takes up to a second a key; and a process that got no time on
a busy machine passes for one that rests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic, process_time
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from textual._context import active_app
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

_TICK = 0.02  # seconds
_IDLE = _TICK / 20  # of processor time in a tick: less is none
# What a widget, or a table, does when it is idle, which comes after its last message.
_ONCE_IDLE = ("_layout_required", "_scroll_required", "_recompose_required", "_require_update_dimensions")
_PASSES = 4  # of the event loop, in which what was sent from elsewhere reaches a queue
at_work: WeakKeyDictionary[MessagePump, int] = WeakKeyDictionary()
"""How many messages each is handling."""


def wait_by_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch: Callable[[MessagePump, Message], Awaitable[None]] = MessagePump._dispatch_message

    async def dispatched(pump: MessagePump, message: Message) -> None:
        at_work[pump] = at_work.get(pump, 0) + 1
        try:
            await dispatch(pump, message)
        finally:
            at_work[pump] -= 1

    monkeypatch.setattr(MessagePump, "_dispatch_message", dispatched)
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", _wait)


async def _wait(_least: float = 0.0, most: float = 1.0) -> None:
    """Until nothing is on its way in the app and no thread of it at work, or, where one of them waits for something
    itself, until the process has done nothing for a tick; `most` seconds.
    """
    app = active_app.get()
    give_up = monotonic() + most
    while not await _rests(app) and monotonic() < give_up:
        until, used = monotonic() + _TICK, process_time()
        while monotonic() < until:
            await asyncio.sleep(_TICK / 5)
            if await _rests(app):
                return
        if process_time() - used < _IDLE:
            return


async def _rests(app: App[Any]) -> bool:
    for _ in range(_PASSES):
        await asyncio.sleep(0)
    if any(not worker.is_finished for worker in app.workers):
        return False
    if app._resize_event is not None:  # sent on by a timer, or once the app is idle
        app._check_resize()
        return False
    for screen in app.screen_stack[-1:]:
        if screen._layout_required or screen._scroll_required or screen._dirty_widgets or screen._callbacks:
            screen._on_timer_update()  # rather than with the next frame
            return False
    return not any(_has_work(pump) for pump in (app, *app._registry))


def _has_work(pump: MessagePump) -> bool:
    if at_work.get(pump) or pump._next_callbacks or pump._pending_message or not pump._message_queue.empty():
        return True
    return any(getattr(pump, flag, False) for flag in _ONCE_IDLE)
