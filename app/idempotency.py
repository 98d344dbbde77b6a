"""Idempotency-Key: the same request twice has one effect and one answer.

The key is locked for the transaction first (a second runner gets 409 at once instead of queueing up and draining the pool);
the answer is stored, encrypted, in the transaction of the effect itself, so only committed answers are ever replayed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.accounts import StoredAnswer
from app.dependencies import CurrentActor, RuntimeDep, SessionDep
from app.domain.access import Actor
from app.domain.errors import BadRequest, Conflict, FieldError, Malformed
from app.request_body import Media, media_type
from app.runtime import Runtime
from app.security.fields import Field

KEPT_HEADERS = ("content-type", "etag", "location")
MAX_STORED_BYTES = 4 << 20
KEY = re.compile(r"[!-~]{1,200}")

STORED = columns(StoredAnswer)


@dataclass(frozen=True)
class PendingAnswer:
    """A key taken by this request, to be filled with its answer."""

    caller: UUID
    route: str
    key_digest: bytes
    scope: str
    fingerprint: bytes
    keep_until: datetime | None


class ReplayStored(Exception):
    """Carries the stored first answer out of the dependencies."""

    def __init__(self, response: Response) -> None:
        super().__init__("replay")
        self.response = response


class IdempotencyKey:
    """The dependency; ``money`` makes the key required and the answer kept for ever."""

    def __init__(self, *, money: bool) -> None:
        self.money = money

    async def __call__(
        self,
        request: Request,
        session: SessionDep,
        actor: CurrentActor,
        runtime: RuntimeDep,
        key: Annotated[
            str | None,
            Header(alias="Idempotency-Key", description="幂等键（建议用 UUID）：同键同内容只办理一次，重复提交返回首次结果。"),
        ] = None,
    ) -> None:
        if key is None:
            if self.money:
                raise BadRequest(
                    "idempotency_key_required", "涉及资金的操作必须携带 Idempotency-Key 请求头，请为每次操作生成一个。"
                )
            return
        _check_key(key)
        pending = await self._pending(request, actor, key, runtime)
        await _take(session, pending)
        await _replay(session, pending, runtime)
        request.state.pending_answer = pending

    async def _pending(self, request: Request, actor: Actor, key: str, runtime: Runtime) -> PendingAnswer:
        route = f"{request.method} {request.scope['route'].path_format}"
        body = await _body_of(request)
        parts = [request.method, request.url.path, request.url.query, actor.scope.district, actor.scope.prefix]
        fingerprint = runtime.keys.fingerprint("idempotency", "\n".join(parts).encode() + b"\n" + body)
        keep = None if self.money else datetime.now(UTC) + timedelta(hours=runtime.settings.idempotency_hours)
        digest = hashlib.sha256(key.encode()).digest()
        return PendingAnswer(actor.id, route, digest, f"{actor.district}/{actor.area}", fingerprint, keep)


IDEMPOTENT = Depends(IdempotencyKey(money=False))
IDEMPOTENT_MONEY = Depends(IdempotencyKey(money=True))


def _check_key(key: str) -> None:
    if KEY.fullmatch(key) is None:
        finding = FieldError("/header/Idempotency-Key", "wrong_format", "应为 1 至 200 个可见 ASCII 字符，建议用 UUID。")
        raise Malformed("malformed_request", "Idempotency-Key 格式不正确。", errors=[finding])


async def _body_of(request: Request) -> bytes:
    """The body as sent; for forms a digest of the parts, since the framework has already consumed the stream."""
    if (upload := getattr(request.state, "upload", None)) is not None:
        digest = hashlib.sha256()
        _add(digest, *upload.fingerprint())
        return digest.digest()
    if media_type(request.headers) not in (Media.FORM, Media.UPLOAD):
        return await request.body()
    digest = hashlib.sha256()
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            _add(digest, name, value)
            continue
        _add(digest, name, value.filename or "")
        digest.update((value.size or 0).to_bytes(8))
        while piece := await value.read(1 << 20):
            digest.update(piece)
        await value.seek(0)
    return digest.digest()


def _add(digest: Any, *texts: str) -> None:
    """Each with its length, so that no two sets of parts look the same."""
    for part in texts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8) + encoded)


async def _take(session: AsyncSession, pending: PendingAnswer) -> None:
    digest = hashlib.sha256(pending.caller.bytes + pending.route.encode() + pending.key_digest).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    taken = (await session.execute(text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": number})).scalar_one()
    if not taken:
        raise Conflict(
            "idempotency_in_progress", "同一 Idempotency-Key 的请求正在办理，请稍候再查询结果。", retry_after_seconds=1
        )


async def _replay(session: AsyncSession, pending: PendingAnswer, runtime: Runtime) -> None:
    """Raises ``ReplayStored``, or ``idempotency_key_reused``; returns when the key is free."""
    where = (
        STORED.caller == pending.caller,
        STORED.route == pending.route,
        STORED.key_digest == pending.key_digest,
    )
    stored = (await session.execute(select(StoredAnswer).where(*where))).scalar_one_or_none()
    if stored is None:
        return
    now = datetime.now(UTC)
    if stored.keep_until is not None and stored.keep_until <= now:
        # Over its time, and not yet cleared away: the key is free again, and its place is needed.
        await session.execute(delete(StoredAnswer).where(*where, STORED.keep_until <= now))
        return
    if stored.fingerprint != pending.fingerprint or stored.scope != pending.scope:
        raise Malformed("idempotency_key_reused", "此 Idempotency-Key 已用于另一内容的请求，请为新的操作生成新的键。")
    body = runtime.cipher.open_bytes(Field.STORED_ANSWER, pending.caller, stored.body)
    headers = {**stored.headers, "Idempotency-Replayed": "true"}
    raise ReplayStored(Response(body, stored.status, headers))


async def store_answer(request: Request, response: Response) -> None:
    """Writes the answer beside its effect; called by the route once the answer is serialised, before the commit."""
    pending: PendingAnswer | None = getattr(request.state, "pending_answer", None)
    if pending is None or response.status_code >= HTTPStatus.BAD_REQUEST:
        return
    runtime: Runtime = request.app.state.runtime
    values: dict[str, Any] = {
        "caller": pending.caller,
        "route": pending.route,
        "key_digest": pending.key_digest,
        "scope": pending.scope,
        "fingerprint": pending.fingerprint,
        "status": response.status_code,
        "headers": {name: value for name, value in response.headers.items() if name in KEPT_HEADERS},
        "body": runtime.cipher.seal_bytes(Field.STORED_ANSWER, pending.caller, _body_to_keep(response)),
        "stored_at": datetime.now(UTC),
        "keep_until": pending.keep_until,
    }
    await request.state.session.execute(insert(StoredAnswer).values(**values))


def _body_to_keep(response: Response) -> bytes:
    """Raises RuntimeError for what could not be replayed: better no effect than an effect whose answer is lost."""
    if isinstance(response, StreamingResponse | FileResponse):
        raise RuntimeError("a streamed answer can't be replayed")  # noqa: TRY004  (a fault of the route, not of a type)
    body = bytes(response.body)
    if len(body) > MAX_STORED_BYTES:
        raise RuntimeError("an answer too large to be replayed")
    return body
