"""Routes that take a large file: received under seal before the request's transaction is opened.

A slow caller holds neither a connection of the pool nor memory; who may not send at all is refused before a byte is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response

from app.dependencies import get_runtime
from app.domain.errors import Unauthenticated
from app.files.multipart import NotReceived, Upload, receive
from app.files.spool import SealedSpool
from app.ids import new_id
from app.request_body import Media, read_body
from app.routers.route import ApiRoute, duty_guards


class UploadRoute(ApiRoute):
    """The endpoint finds what was received with ``upload_of``; its declaration has no body parameters."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            finally:
                received: Upload | NotReceived | None = getattr(request.state, "upload", None)
                if received is not None:
                    received.close()

        return answer

    def receiver(self) -> Callable[[Request], Coroutine[Any, Any, Request]]:
        duties = frozenset(duty for guard in duty_guards(self) for duty in guard.duties)

        async def receive_upload(request: Request) -> Request:
            if not _may_send(request, duties):
                request.state.upload = NotReceived()
                return request  # the dependencies refuse it, in the words of every route
            ours = await read_body(request, Media.UPLOAD)
            runtime = get_runtime(request)
            spool = SealedSpool(runtime.cipher, new_id(), max_bytes=runtime.settings.max_upload_bytes)
            try:
                ours.state.upload = await receive(request.headers.get("content-type", ""), ours.stream(), spool)
            except BaseException:
                spool.close()
                raise
            return ours

        return receive_upload


def _may_send(request: Request, duties: frozenset[Any]) -> bool:
    """Whether the token alone lets the caller send."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        claims = get_runtime(request).tokens.verify_access_token(token.strip())
    except Unauthenticated:
        return False
    return not claims.duties.isdisjoint(duties)


def upload_of(request: Request) -> Upload:
    """What the route has received."""
    received: Upload = request.state.upload
    return received


def upload_router(tag: str, prefix: str = "") -> APIRouter:
    """A router of version 1 whose routes take a file."""
    return APIRouter(prefix="/api/v1" + prefix, tags=[tag], route_class=UploadRoute)
