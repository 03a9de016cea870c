"""The dashboard behind headers that keep it to itself: what `drivetrain dashboard` and the Dockerfile start.

    python -m streamlit run app/server.py -- RUN_FOLDER_OR_SCENARIO

No page may be framed by another site, and what a page loads and asks for comes from this server alone, whatever a
text might say; links that a reader follows lead where they lead.
"""

from __future__ import annotations

import re

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'self'; form-action 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {sockets} data: blob:; "
    "worker-src 'self' blob:; media-src 'self' data: blob:"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}


class Guarded:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Args: app: what answers."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                headers = HEADERS | {"content-security-policy": POLICY.format(sockets=_sockets(scope))}
                new = [(n.encode(), v.encode()) for n, v in headers.items() if n.encode() not in known]
                message = {**message, "headers": [*message["headers"], *new]}
            await send(message)

        await self.app(scope, receive, with_headers)


def _sockets(scope: Scope) -> str:
    """Streamlit's own WebSocket, for browsers to which 'self' is no more than http."""
    host = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"), "")
    return f"ws://{host} wss://{host}" if re.fullmatch(r"[\w.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", host) else ""


app = st.App("main.py", middleware=[Middleware(Guarded)])
