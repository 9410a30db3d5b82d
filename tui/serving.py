"""The dashboard in a browser: textual-serve, with a page of our own that loads nothing from elsewhere.

There is no password, so a page of another site must not reach it through the browser of whoever opened it: the
websocket takes only those who come from this server's own page, and a server bound to this machine answers only to
this machine's names (else a site could give its own name our address).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE = Path(__file__).with_name("web")
# xterm.js sets styles on its elements, which only 'unsafe-inline' allows; scripts are all files of this server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class DashboardServer(Server):
    """Serves `command`, an app of Textual, to each browser that opens the page."""

    def __init__(self, command: str, *, host: str, port: int) -> None:
        super().__init__(command, host=host, port=port, title="prune-tui", templates_path=_PAGE)

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.router.add_static("/page", _PAGE)
        app.middlewares.append(self._only_known_names)
        return app

    @web.middleware
    async def _only_known_names(self, request: web.Request, handler: Any) -> web.StreamResponse:
        name = urlsplit(f"//{request.host}").hostname
        if self.host in LOCAL and name not in LOCAL:
            raise web.HTTPForbidden(text=f"This dashboard is for this machine only: open {self.public_url}.")
        return await handler(request)

    async def handle_index(self, request: web.Request) -> web.Response:  # pyright: ignore[reportIncompatibleMethodOverride]
        size = request.query.get("fontsize", "")
        response = aiohttp_jinja2.render_template(
            "index.html", request, {"font_size": int(size) if size.isascii() and size.isdigit() else 16}
        )
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        if urlsplit(request.headers.get("Origin", "")).netloc != request.host:
            raise web.HTTPForbidden(text="Only the dashboard's own page may connect.")
        return await super().handle_websocket(request)

    def initialize_logging(self) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")

    async def on_startup(self, app: web.Application) -> None:
        print(f"The dashboard is at {self.public_url}: open it in a browser. Ctrl+C ends this; runs go on.", flush=True)
