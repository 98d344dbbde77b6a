"""Pure ASGI middleware at the edge: body size limit and the headers every answer carries."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import TooLarge
from app.problems import problem_of

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    ),
]


class BodyTooLarge(Exception):
    """Raised into the application when a streamed body passes the limit."""


class Edge:
    """Counts body bytes, whatever Content-Length claims, and adds the security headers."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, max_upload_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, declared = self._limit(scope), _content_length(scope)
        started, seen = False, 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise BodyTooLarge
            return message

        def refused() -> bool:
            """The framework turns what reading the body raises into a 400 of its own: ours goes out instead."""
            return seen > limit and not started

        async def dressed(message: Message) -> None:
            nonlocal started
            if refused():
                return
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *_extra_headers(scope, message)]
            await send(message)

        if declared is not None and declared > limit:
            await _refuse(scope, receive, dressed, limit)
            return
        with suppress(BodyTooLarge):
            await self.app(scope, counted, dressed)
        if refused():
            seen = 0
            await _refuse(scope, receive, dressed, limit)

    def _limit(self, scope: Scope) -> int:
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        return self.max_upload_bytes if content_type.startswith(b"multipart/form-data") else self.max_body_bytes


def _content_length(scope: Scope) -> int | None:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(value) if value.isdigit() else None


def _extra_headers(scope: Scope, message: Message) -> list[tuple[bytes, bytes]]:
    present = {name for name, _ in message["headers"]}
    extra = [header for header in SECURITY_HEADERS if header[0] not in present]
    if b"cache-control" not in present and scope["path"].startswith("/api/"):
        extra.append((b"cache-control", b"private, no-store"))
    return extra


async def _refuse(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    size = f"{limit >> 20} MB" if limit >= 1 << 20 else f"{limit >> 10} KB"
    error = TooLarge("body_too_large", f"提交内容超过上限（{size}），请分批提交。")
    await problem_of(error)(scope, receive, send)
