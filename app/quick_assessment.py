"""A short way for the one-shot assessment: one look into the database, the pure rules, the answer.

It answers only what is clean in every respect (plain JSON, a token that counts, a duty that allows, facts and parameters without
any objection). Everything else goes on, with its body, to the ordinary route, which alone refuses and which owns duty, limits and
OpenAPI; so nothing can be learned or done here that can't be there.
"""

from __future__ import annotations

import time
from typing import Any

import asyncpg
import orjson
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dependencies import CALLER, NOT_REVOKED
from app.domain.eligibility import AssessmentQuestion, ParameterBook, assess
from app.domain.errors import DomainError
from app.request_body import parse_json
from app.routers.v1 import eligibility
from app.routers.v1.eligibility_facts import AssessmentRequest
from app.runtime import Runtime
from app.security.tokens import Claims

PATH = "/api/v1/eligibility/assessments"
MAX_BODY_BYTES = 64 * 1024
TOKENS_KEPT = 1000
_ONCE = (b"authorization", b"content-type", b"content-length")

# The caller's check is the one that opens every session; beside it the two things that the route looks up.
_LOOK = text(
    f"""
    WITH caller AS ({CALLER})
    SELECT (SELECT array_agg(id ORDER BY id) FROM policy_set WHERE status = 'active') AS sets
    FROM caller
    WHERE NOT must_change_password AND {NOT_REVOKED}
      AND EXISTS (SELECT 1 FROM area WHERE code = :code AND valid_from <= :day AND (valid_until IS NULL OR valid_until > :day))
    """
).compile(dialect=PGDialect_asyncpg())  # type: ignore[no-untyped-call]

_SQL, _PLACES = str(_LOOK), tuple(_LOOK.positiontup or ())


class VerifiedTokens:
    """Tokens whose signature was verified a moment ago; that they still count is asked of the database every time."""

    def __init__(self) -> None:
        self._claims: dict[str, Claims] = {}
        self._keys: tuple[str, ...] = ()

    def claims_of(self, runtime: Runtime, token: str) -> Claims:
        """Raises ``Unauthenticated`` like the verification itself. A changed set of signing keys forgets everything."""
        keys = tuple(key.kid for key in runtime.keys.signing_keys())
        if keys != self._keys:
            self._claims.clear()
            self._keys = keys
        known = self._claims.get(token)
        if known is not None and time.time() < known.expires_at:
            return known
        claims = runtime.tokens.verify_access_token(token)
        if len(self._claims) >= TOKENS_KEPT:
            self._claims.clear()
        self._claims[token] = claims
        return claims


class QuickAssessment:
    """Middleware just outside the framework."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.tokens = VerifiedTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH and (token := _clean_token(scope)):
            receive, body = await _read(receive)
            answer = await answer_quickly(scope["app"].state.runtime, self.tokens, token, body)
            if answer is not None:
                scope["route"] = eligibility.ROUTE  # by which logs and metrics name it
                await _send(send, answer)
                return
        await self.app(scope, receive, send)


def _clean_token(scope: Scope) -> str | None:
    """The token of a request that is plain enough; None sends it the ordinary way."""
    if scope["method"] != "POST" or scope["query_string"]:
        return None
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ONCE and name in found:
            return None
        found[name] = value
    length, bearer = found.get(b"content-length", b""), found.get(b"authorization", b"")
    plain = found.get(b"content-type") == b"application/json" and b"transfer-encoding" not in found
    if not plain or not length.isdigit() or not 0 < int(length[:8]) <= MAX_BODY_BYTES or b"idempotency-key" in found:
        return None
    return bearer[7:].decode("latin-1") if bearer.startswith(b"Bearer ") else None


async def _read(receive: Receive) -> tuple[Receive, bytes]:
    """The body, and a ``receive`` that hands out again what was read."""
    seen: list[Message] = []
    while True:
        message = await receive()
        seen.append(message)
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    waiting = iter(seen)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return again, b"".join(message.get("body", b"") for message in seen)


async def answer_quickly(runtime: Runtime, tokens: VerifiedTokens, token: str, body: bytes) -> bytes | None:
    """The answer to a clean request; None for everything else."""
    try:
        claims = tokens.claims_of(runtime, token)
        if claims.duties.isdisjoint(eligibility.ASSESSORS):
            return None
        question = AssessmentRequest.model_validate(parse_json(body)).to_domain()
        book = await _look(runtime, claims, question)
        return None if book is None else orjson.dumps(eligibility.body_of(assess(question, book)))
    except (TimeoutError, DomainError, ValidationError, SQLAlchemyError, asyncpg.PostgresError, OSError):
        return None  # the ordinary way says what is wrong, or that it can't say


async def _look(runtime: Runtime, claims: Claims, question: AssessmentQuestion) -> ParameterBook | None:
    """The parameters in force, where the token still counts and the area exists on the day."""
    values: dict[str, Any] = {
        "sub": claims.subject,
        "area": claims.area,
        "iat": float(claims.issued_at),
        "jti": str(claims.jti),
        "session": str(claims.session or claims.jti),
        "code": question.area_code,
        "day": question.business_date,
    }
    row = await _row(runtime, [values[name] for name in _PLACES])
    return runtime.parameter_books.kept(row["sets"] or ()) if row is not None else None


async def _row(runtime: Runtime, values: list[Any]) -> Any:
    """One statement, and so one transaction, on a connection of the application's pool."""
    connection: Any = await runtime.engine.raw_connection()
    try:
        row = await connection.driver_connection.fetchrow(_SQL, *values)
    except BaseException:
        connection.invalidate()  # who knows what it is still waiting for
        raise
    connection.close()
    return row


async def _send(send: Send, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
