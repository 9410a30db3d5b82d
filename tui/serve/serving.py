"""The dashboard in a browser: textual-serve, with a page of our own that loads nothing from elsewhere.

There is no password, so a page of another site must not reach it through the browser of whoever opened it: the
websocket takes only those who come from this server's own page. A server bound to this machine answers only to this
machine's names (else a site could give its own name our address); one that others reach has too many names for that,
and answers only to who has the token that the start printed.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import secrets
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from textual_serve.server import Server

from tui.serve.sessions import MOST_BYTES, BadMessageError, Session

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
MOST_SESSIONS = 8  # each is a process
_COOKIE = "prune_tui_token"
_PAGE = Path(__file__).with_name("web")
# xterm.js sets styles on its elements, which only 'unsafe-inline' allows; scripts are all files of this server.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class DashboardServer(Server):
    """Serves `command`, an app of Textual, to each browser that opens the page; `token` is None on this machine."""

    def __init__(self, command: str, *, host: str, port: int) -> None:
        name = f"{_reachable_as(host)}:{port}"
        super().__init__(
            command, host=host, port=port, title="prune-tui", public_url=f"http://{name}", templates_path=_PAGE
        )
        self.token = None if host in LOCAL else secrets.token_urlsafe(24)
        self.sessions: set[Session] = set()
        self._endings: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return self.public_url if self.token is None else f"{self.public_url}/?token={self.token}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.router.add_static("/page", _PAGE)
        app.middlewares.append(self._only_who_may)
        return app

    @web.middleware
    async def _only_who_may(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.token is None:
            if urlsplit(f"//{request.host}").hostname not in LOCAL:
                raise web.HTTPForbidden(text=f"This dashboard is for this machine only: open {self.public_url}.")
        elif not _same(request.cookies.get(_COOKIE), self.token):
            if not _same(request.query.get("token"), self.token):
                raise web.HTTPForbidden(text="Open the address that `prune-tui serve` printed, with its token.")
            answer = web.HTTPFound("/")  # the token leaves the address, and with it the browser's history
            answer.set_cookie(_COOKIE, self.token, httponly=True, samesite="Strict")
            raise answer
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
        if len(self.sessions) >= MOST_SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_SESSIONS} dashboards are open already: close one of them.")
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=MOST_BYTES)
        session = Session(self.command, websocket, self.download_manager)
        self.sessions.add(session)
        try:
            await websocket.prepare(request)
            await session.run_in(request.query.get("width"), request.query.get("height"))
        except BadMessageError as error:
            await websocket.close(code=1008, message=str(error).encode())
        finally:
            # However the socket ended, its process does not outlive it. aiohttp cancels this where a browser is gone.
            await asyncio.shield(self._end(session))
        return websocket

    def _end(self, session: Session) -> asyncio.Task[None]:
        ending = asyncio.create_task(session.end())
        ending.add_done_callback(lambda _: self.sessions.discard(session))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending

    def initialize_logging(self) -> None:
        logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")

    async def on_startup(self, app: web.Application) -> None:
        print(f"The dashboard is at {self.address}: open it in a browser. Ctrl+C ends this; runs go on.", flush=True)

    async def on_shutdown(self, app: web.Application) -> None:
        for session in tuple(self.sessions):
            await session.close()
        await asyncio.gather(*self._endings)


def _same(given: str | None, token: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def _reachable_as(host: str) -> str:
    """A name for the address bar: one that listens everywhere has this machine's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return socket.gethostname()
    return f"[{host}]" if address.version == 6 else host
