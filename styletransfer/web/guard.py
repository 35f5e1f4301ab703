"""Who may talk to the server: this machine's own pages, under its own names, and nothing else.

A page elsewhere can make a browser send requests here. A foreign Host is a name that was made to point here
(DNS rebinding); a foreign Origin is another page's request (CSRF). Both are refused before anything is read.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "style-src-attr 'unsafe-inline'; img-src data:; media-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every response. Inline styles are allowed as attributes only: drawings carry their colours in them."""


class Guard:
    """The app, behind the checks, with HEADERS on whatever it answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        wrong = refusal(scope["method"], scope["path"], Headers(scope=scope))
        if wrong is None:
            await self._app(scope, receive, send_guarded)
        else:
            await PlainTextResponse(f"{wrong}\n", 403)(scope, receive, send_guarded)


def refusal(method: str, path: str, headers: Headers) -> str | None:
    """Why a request is refused, in a sentence; None where it may pass.

    What changes something must say where it comes from; what only reads may leave it out.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _OWN_HOST.fullmatch(hosts[0]):
        return "this server answers to 127.0.0.1 and localhost only"
    origins = headers.getlist("origin")
    if any(not _same(origin, hosts[0]) for origin in origins):
        return "this request comes from another page"
    if method not in ("GET", "HEAD") and len(origins) != 1:
        return "this request doesn't say which page it comes from"
    site = headers.get("sec-fetch-site", "same-origin")
    visiting = path == "/" and headers.get("sec-fetch-mode") == "navigate"
    if site not in ("same-origin", "none") and not visiting:
        return "this request comes from another page"
    return None


def _same(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme == "http" and parts.netloc.lower() == host.lower() and origin.count("/") == 2
