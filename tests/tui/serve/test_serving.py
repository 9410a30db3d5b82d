"""The page of `prune-tui serve`: everything on it comes from the server itself, and only its own page may connect."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import sys
from pathlib import Path

import psutil
import pytest
from aiohttp import CookieJar, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from tui.serve.serving import DashboardServer
from tui.serve.sessions import MOST_BYTES

APP = Path(__file__).with_name("served_app.py")

# What a browser would fetch or open on its own.
_ADDRESS = re.compile(r"""(?:src|href|url|@import)\s*[=(]?\s*["']?((?:[a-z]+:)?//[^"')\s]+)""", re.IGNORECASE)


@pytest.fixture
async def client():
    server = DashboardServer("exit 0", host="localhost", port=8000)
    server.on_startup = _quiet  # type: ignore[method-assign]
    async with TestClient(TestServer(await server._make_app())) as client:
        yield client


async def _quiet(app: object) -> None: ...


async def test_nothing_on_the_page_comes_from_elsewhere(client):
    page = await client.get("/?fontsize=x%22%3E%3Cscript%3E")
    assert page.status == 200
    text = await page.text()
    assert 'data-font-size="16"' in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(links) >= 5
    for link in links:
        assert link.startswith(("/static/", "/page/", "data:,")), link
        if link.startswith("/"):
            part = await client.get(link)
            assert part.status == 200, link
            if link.endswith((".css", ".html")) or link.startswith("/page/"):
                text += await part.text()
    assert _ADDRESS.findall(text) == []
    assert _ADDRESS.findall('<link href="https://fonts.example/x">') == ["https://fonts.example/x"]


@pytest.mark.parametrize("origin", [None, "https://elsewhere.example", "null", "http://localhost:1"])
async def test_another_sites_page_cannot_connect(client, origin):
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/ws", headers={"Origin": origin} if origin else {})
    assert refused.value.status == 403


async def test_a_name_that_points_here_is_not_this_machine(client):
    answer = await client.get("/", headers={"Host": "elsewhere.example:8000"})
    assert answer.status == 403
    assert "http://localhost:8000" in await answer.text()


@pytest.fixture
async def open_server(tmp_path: Path):
    """A server with a fake app, and what the app writes down."""
    clients: list[TestClient] = []

    async def start(host: str = "localhost", *, app: str = "polite") -> tuple[TestClient, DashboardServer]:
        command = shlex.join([sys.executable, "-S", "-E", str(APP), str(tmp_path / "told"), app])
        server = DashboardServer(command, host=host, port=8000)
        server.on_startup = _quiet  # type: ignore[method-assign]
        client = TestClient(TestServer(await server._make_app()), cookie_jar=CookieJar(unsafe=True))
        await client.start_server()
        clients.append(client)
        return client, server

    yield start
    for client in clients:
        await client.close()


def own_page(client: TestClient) -> dict[str, str]:
    return {"Origin": str(client.make_url("/")).rstrip("/")}


async def told(tmp_path: Path, word: str) -> str:
    """The line that has the word, once the app has written it."""
    for _ in range(1000):
        lines = (tmp_path / "told").read_text().splitlines() if (tmp_path / "told").exists() else []
        if found := [line for line in lines if word in line]:
            return found[0]
        await asyncio.sleep(0.01)
    raise AssertionError(f"nothing with {word}")


async def gone(pid: int) -> bool:
    for _ in range(1000):
        if not psutil.pid_exists(pid):
            return True
        await asyncio.sleep(0.01)
    return False


async def all_ended(server: DashboardServer) -> None:
    async with asyncio.timeout(10):
        while server.sessions:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "machine.example"])
async def test_beyond_this_machine_a_token_is_needed_whatever_the_name(open_server, host: str):
    client, server = await open_server(host)
    assert server.token is not None
    assert server.address.endswith(f":8000/?token={server.token}")
    assert "0.0.0.0" not in server.address
    for path in ("/", "/ws", "/static/js/textual.js", "/download/x", "/?token=", "/?token=wrong", "/?token=%C3%A9"):
        answer = await client.get(path, headers=own_page(client) | {"Host": "rebound.example"})
        assert answer.status == 403, path
        assert "prune-tui serve" in await answer.text()
    page = await client.get("/", params={"token": server.token})
    assert (page.status, page.url.query_string) == (200, "")
    assert page.history[0].cookies["prune_tui_token"]["samesite"] == "Strict"
    with pytest.raises(WSServerHandshakeError):  # who has the token, but on another site's page
        await client.ws_connect("/ws", headers={"Origin": "https://elsewhere.example"})
    socket = await client.ws_connect("/ws", headers=own_page(client))
    await socket.close()


async def test_sizes_are_those_of_screens(open_server, tmp_path: Path):
    client, _ = await open_server()
    socket = await client.ws_connect("/ws?width=100000&height=-5", headers=own_page(client))
    assert (await told(tmp_path, "begun")).split()[2:] == ["800", "24"]
    await socket.send_json(["resize", {"width": 100_000, "height": 100_000}])
    assert '"width": 800, "height": 300' in await told(tmp_path, "resize")
    await socket.send_json(["stdin", "é"])
    assert await told(tmp_path, "D ") == "D é"
    await socket.send_json(["ping", "1"])
    assert await socket.receive_json() == ["pong", "1"]
    await socket.close()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 1008),
        ("[]", 1008),
        ('["resize", {"width": "x", "height": 1}]', 1008),
        ('["stdin", 5]', 1008),
        ("[" * 20_000, 1008),
        ("x" * (MOST_BYTES + 1), 1009),
    ],
    ids=["no JSON", "empty", "a size that is none", "keys that are none", "deep", "long"],
)
async def test_a_message_that_the_page_does_not_send_ends_the_session(open_server, tmp_path: Path, message, code):
    client, server = await open_server()
    socket = await client.ws_connect("/ws", headers=own_page(client))
    pid = int((await told(tmp_path, "begun")).split()[1])
    await socket.send_str(message)
    await socket.receive()
    assert socket.close_code == code
    assert await gone(pid)
    await all_ended(server)


@pytest.mark.parametrize("app", ["polite", "deaf"])
async def test_a_dashboard_ends_with_its_socket(open_server, tmp_path: Path, app: str, monkeypatch):
    monkeypatch.setattr("tui.serve.sessions._GRACE", 0.2)
    client, server = await open_server(app=app)
    socket = await client.ws_connect("/ws", headers=own_page(client))
    pid = int((await told(tmp_path, "begun")).split()[1])
    await socket.close()
    assert await gone(pid)
    await all_ended(server)


async def test_a_socket_closes_with_its_dashboard(open_server, tmp_path: Path):
    client, _ = await open_server()
    socket = await client.ws_connect("/ws", headers=own_page(client))
    os.kill(int((await told(tmp_path, "begun")).split()[1]), signal.SIGKILL)
    assert (await socket.receive()).type == WSMsgType.CLOSE


async def test_there_are_so_many_dashboards_and_no_more(open_server, monkeypatch):
    monkeypatch.setattr("tui.serve.serving.MOST_SESSIONS", 1)
    client, _ = await open_server()
    first = await client.ws_connect("/ws", headers=own_page(client))
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/ws", headers=own_page(client))
    assert refused.value.status == 503
    await first.close()
