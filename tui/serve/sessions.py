"""One browser's dashboard: a process for a websocket, which ends with it, and what it takes from the socket."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

MOST_BYTES = 1 << 18  # of a message: the largest is a text that is pasted
_MOST_COLUMNS, _MOST_ROWS = 800, 300  # twice what a large screen shows in its smallest type
_GRACE = 3.0  # seconds that a process has to end by itself


class BadMessageError(Exception):
    """What came is none of the messages that the page sends."""


class Session(AppService):
    """The process of one websocket."""

    def __init__(self, command: str, websocket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        super().__init__(
            command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self.close,
            download_manager=downloads,
        )
        self._websocket = websocket

    async def run_in(self, width: object, height: object) -> None:
        """Pass on what comes from the socket until it closes, or the process ends.

        Raises:
            BadMessageError: something came that the page does not send.
        """
        await self.start(*_size(_number(width, 80), _number(height, 24)))
        assert self._task is not None
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self.close()))
        async for message in self._websocket:
            if message.type == WSMsgType.TEXT:
                try:
                    await self._take(message.json())
                except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
                    raise BadMessageError("The message is none that the dashboard's page sends.") from error

    async def close(self) -> None:
        await self._websocket.close()

    async def end(self) -> None:
        """End the process: it is asked, and soon killed."""
        if self._process is None:
            return
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(self.stop(), _GRACE)
        with suppress(ProcessLookupError):  # it has ended, and so have those that it started
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """As textual-serve's, in a group of its own: it can be ended with what it started, and Ctrl+C is not its."""
        self._process = process = await asyncio.create_subprocess_exec(
            *shlex.split(self.command),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width=width, height=height),
            process_group=0,
        )
        self._stdin = process.stdin
        return process

    async def _take(self, message: Any) -> None:
        match message:
            case ["stdin", str(text)]:
                await self.send_bytes(text.encode())
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(*_size(width, height))
            case ["ping", data]:
                await self._websocket.send_json(["pong", data])
            case ["blur"] | ["blur", _]:
                await self.blur()
            case ["focus"] | ["focus", _]:
                await self.focus()
            case _:
                raise ValueError(message)


def _size(width: int, height: int) -> tuple[int, int]:
    return min(max(width, 1), _MOST_COLUMNS), min(max(height, 1), _MOST_ROWS)


def _number(text: object, default: int) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else default
