"""Admits requests of the review's own page, and of programs that have its token; refuses and logs all others.

Every page in the user's browser can send requests to a server on this machine. Three checks keep them out:

- Host: a foreign name that leads to this machine (DNS rebinding) is refused.
- Token: every request needs it, in the address of the page's first request, then in a cookie; a program may send it in
  the header `Authorization: Bearer <token>`.
- Origin: what another page sends is refused, also from another port of this machine, whose requests carry the cookie.
"""

import logging
import secrets
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dawnchorus.review.address import HOSTS, Address

logger = logging.getLogger("dawnchorus.review")

COOKIE = "dawnchorus"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def shown(text: str) -> str:
    """A text from a request for a log: short, on one line."""
    return ascii(text if len(text) <= 100 else f"{text[:100]}...")


class Guard:
    """Stands before an application."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        """Guard an application that is served at an address."""
        self._app = app
        self._token = address.token.encode()
        self._hosts = {f"{host}:{address.port}" for host in HOSTS}
        self._folder = address.folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do so."""
        if scope["type"] != "http":
            raise RuntimeError(f"unexpected connection of the type {scope['type']}")
        headers = Headers(scope=scope)
        is_new = scope["path"] == self._folder and self._is_token(_query_token(scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answered[name] = value
                if is_new:
                    answered["Set-Cookie"] = (
                        f"{COOKIE}={self._token.decode()}; Path={self._folder}; HttpOnly; SameSite=Strict"
                    )
            await send(message)

        reason = self._why_refused(scope, headers, is_new)
        if reason is None:
            await self._app(scope, receive, send_guarded)
            return
        is_new = False
        logger.warning("refused %s %s: %s", scope["method"], shown(scope["path"]), reason)
        await JSONResponse({"error": f"refused: {reason}"}, 403)(scope, receive, send_guarded)

    def _why_refused(self, scope: Scope, headers: Headers, is_new: bool) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return f"the host {shown(', '.join(hosts))} is not this server"
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        is_program = scheme.lower() == "bearer" and self._is_token(bearer)
        if not (is_new or is_program or self._is_token(HTTPConnection(scope).cookies.get(COOKIE, ""))):
            return "the token is missing or not this review's"
        origins = headers.getlist("origin")
        if origins and origins != [f"http://{hosts[0].lower()}"]:
            return f"the origin {shown(', '.join(origins))} is another page"
        # The page itself may be opened from anywhere; what it loads is its own.
        if scope["path"] != self._folder and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return "another page asked for it"
        # Browsers send the origin with all that writes.
        if scope["method"] not in ("GET", "HEAD") and not origins and not is_program:
            return "it has no origin"
        return None

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode("utf-8", "surrogatepass"), self._token)


def _query_token(scope: Scope) -> str:
    try:
        values = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10).get("token", [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 else ""
