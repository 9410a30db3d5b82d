"""The dashboard in Chromium, and a run started from it: `python benchmarks/browser.py [PICTURE.png]`, with Chromium.

`prune-tui serve` is opened by a headless Chromium, which is told over its DevTools protocol to press D: the demo is
measured. It has held when the journal of the run has its first scores and the page had no errors; the run is stopped by
x then. No driver is needed, and nothing outside this machine is reached.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

_PATIENCE = 240.0  # seconds
_SIZE = (1400, 900)  # pixels
_CELLS = 3


class Page:
    """A page of Chromium's."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints: list[str] = []

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async for message in self._socket:
            answer = json.loads(message.data)
            if answer.get("id") == number:
                return answer["result"]
            if answer.get("method") == "Runtime.exceptionThrown" or _is_error(answer):
                self.complaints.append(json.dumps(answer["params"]))
        raise ConnectionError("Chromium has gone")

    async def press(self, letter: str) -> None:
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=letter, key=letter)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=letter)

    async def click(self) -> None:
        """In the middle of the page: what is typed goes there."""
        for kind in ("mousePressed", "mouseReleased"):
            x, y = (length / 2 for length in _SIZE)
            await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode((await self.ask("Page.captureScreenshot"))["data"]))


def _is_error(told: dict[str, Any]) -> bool:
    """Not so the browser's own warnings, such as one of a machine without a graphics card."""
    return told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error"


@asynccontextmanager
async def chromium(address: str, home: Path) -> AsyncIterator[Page]:
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={_SIZE[0]},{_SIZE[1]}"]
    words += ["--remote-debugging-port=0", f"--user-data-dir={home}", "about:blank"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            found = next(found for line in process.stderr if (found := re.search(r"listening on ws://([^/]+)/", line)))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{found[1]}/json") as answer:
                    [page] = [one for one in await answer.json() if one["type"] == "page"]
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as connection:
                    page = Page(connection)
                    for domain in ("Page", "Runtime", "Log"):
                        await page.ask(f"{domain}.enable")
                    await page.ask("Page.navigate", url=address)
                    yield page
        finally:
            process.terminate()


async def until(fact: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {_PATIENCE:g} seconds")
        await asyncio.sleep(0.2)


def events(folder: Path, kind: str) -> int:
    """How many of a kind the runs' journals have."""
    journals = (path.read_text() for path in folder.glob("results.runs/*/journal.jsonl"))
    return sum(json.loads(line)["kind"] == kind for journal in journals for line in journal.splitlines())


async def try_it(folder: Path, picture: Path) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    serve = [sys.executable, "-m", "prune_tui", "serve", "--port", str(port)]
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            print(server.stdout.readline().strip())
            async with chromium(f"http://localhost:{port}", folder / "chromium") as page:
                # Where the first screen is not there yet, nothing listens; where there is a run, D does nothing.
                began = time.monotonic()
                while not list(folder.glob("results.runs/*/plan.json")):
                    if time.monotonic() > began + _PATIENCE:
                        await page.picture(picture)
                        raise TimeoutError(f"no run was begun by D: {picture} has the page")
                    await asyncio.sleep(3)
                    await page.click()
                    await page.press("D")
                await until(lambda: events(folder, "cell") >= _CELLS, "a run begun from the page has scores")
                await page.picture(picture)
                await page.press("x")
                await until(lambda: events(folder, "stopped") + events(folder, "finished"), "the run is stopped by x")
                print(f"{events(folder, 'cell')} scores, stopped; the console said {page.complaints or 'nothing'}")
        finally:
            server.send_signal(signal.SIGINT)


def main() -> None:
    picture = Path(sys.argv[1] if sys.argv[1:] else "browser.png").resolve()
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_DATA_HOME"] = name
        asyncio.run(try_it(Path(name), picture))
    print(picture)


if __name__ == "__main__":
    main()
