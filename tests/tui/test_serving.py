"""The page of `prune-tui serve`: everything on it comes from the server itself, and only its own page may connect."""

from __future__ import annotations

import re

import pytest
from aiohttp import WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from tui.serving import DashboardServer

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
