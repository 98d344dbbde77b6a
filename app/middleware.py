"""Pure ASGI middleware at the edge: body size limit and the headers every answer carries."""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import TooLarge, Unavailable
from app.observability import REFUSED_BUSY
from app.problems import problem_of, problem_of_unknown
from app.request_body import Media

log = logging.getLogger("minzheng.edge")

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    ),
]


ALWAYS_ANSWERED = ("/livez", "/readyz", "/metrics")
MAX_LENGTH_DIGITS = 18


class Edge:
    """Counts body bytes, whatever Content-Length claims; turns callers away when too many are being served; adds headers."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, max_upload_bytes: int, max_in_flight: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.max_upload_bytes = max_upload_bytes
        self.max_in_flight = max_in_flight
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_extra_headers(scope, message)]
            await send(message)

        if self._in_flight >= self.max_in_flight and scope["path"] not in ALWAYS_ANSWERED:
            REFUSED_BUSY.inc()
            await problem_of(_busy())(scope, receive, dressed)
            return
        self._in_flight += 1
        try:
            await self._serve(scope, receive, dressed)
        finally:
            self._in_flight -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self.max_upload_bytes if _is_upload(scope) else self.max_body_bytes
        if _content_length(scope) > limit:
            await problem_of(_too_large(limit))(scope, receive, send)
        else:
            await self.app(scope, _counted(receive, limit), send)


class LastResort:
    """Innermost: what nobody caught becomes a problem here, inside the layers that trace, count and add headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            log.info("the caller went away while sending")
        except Exception as error:
            if started:
                raise  # half an answer is out: only closing the connection tells the caller
            await problem_of_unknown(scope["path"], error)(scope, receive, noted)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return counted


def _is_upload(scope: Scope) -> bool:
    return _header(scope, b"content-type").lstrip().lower().startswith(Media.UPLOAD.encode())


def _content_length(scope: Scope) -> int:
    """What the caller declares; 0 when it declares nothing that makes sense: the bytes are counted anyway."""
    value = _header(scope, b"content-length")
    return int(value[: MAX_LENGTH_DIGITS + 1]) if value.isdigit() else 0


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _extra_headers(scope: Scope, message: Message) -> list[tuple[bytes, bytes]]:
    present = {name for name, _ in message["headers"]}
    extra = [header for header in SECURITY_HEADERS if header[0] not in present]
    if b"cache-control" not in present and scope["path"].startswith("/api/"):
        extra.append((b"cache-control", b"private, no-store"))
    return extra


def _busy() -> Unavailable:
    return Unavailable("temporarily_unavailable", "当前访问人数较多，请稍后重试。", retry_after_seconds=1)


def _too_large(limit: int) -> TooLarge:
    size = f"{limit >> 20} MB" if limit >= 1 << 20 else f"{limit >> 10} KB"
    return TooLarge("body_too_large", f"提交内容超过上限（{size}），请分批提交。")
