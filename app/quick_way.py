"""A short way for the two questions that are asked most: around the framework, straight to the rule and back.

It answers only what is clean in every respect: plain JSON, a token that counts, a duty that allows, nothing to object to. All
else goes on, with its body, to the ordinary route, which alone refuses and which owns duty, limits and OpenAPI; so nothing can be
learned or done here that can't be there.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.access import Duty
from app.domain.errors import Unauthenticated
from app.runtime import Runtime
from app.security.tokens import Claims

MAX_BODY_BYTES = 64 * 1024
TOKENS_KEPT = 1000
_ONCE = (b"authorization", b"content-type", b"content-length")
# What asks for more than the answer: a replay, another date, a body of unknown length.
_NOT_PLAIN = (b"idempotency-key", b"x-demo-date", b"transfer-encoding")


@dataclass(frozen=True, slots=True)
class QuickAnswer:
    """A route that may be answered the short way, to holders of one of ``duties``. ``answer`` gives None for what isn't clean."""

    path: str
    route: BaseRoute
    duties: frozenset[Duty]
    answer: Callable[[Runtime, Claims, bytes], Awaitable[bytes | None]]


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


class QuickWay:
    """Middleware just outside the framework."""

    def __init__(self, app: ASGIApp, *, answers: Sequence[QuickAnswer]) -> None:
        self.app = app
        self.tokens = VerifiedTokens()
        self._answers = {quick.path: quick for quick in answers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        quick = self._answers.get(scope["path"]) if scope["type"] == "http" else None
        if quick is not None and (token := _clean_token(scope)):
            receive, body = await _read(receive)
            answer = await answer_quickly(scope["app"].state.runtime, self.tokens, quick, token, body)
            if answer is not None:
                scope["route"] = quick.route  # by which logs and metrics name it
                await _send(send, answer)
                return
        await self.app(scope, receive, send)


async def answer_quickly(runtime: Runtime, tokens: VerifiedTokens, quick: QuickAnswer, token: str, body: bytes) -> bytes | None:
    """The answer to a clean request; None for everything else."""
    try:
        claims = tokens.claims_of(runtime, token)
    except Unauthenticated:
        return None
    return None if claims.duties.isdisjoint(quick.duties) else await quick.answer(runtime, claims, body)


def _clean_token(scope: Scope) -> str | None:
    """The token of a request that is plain enough; None sends it the ordinary way."""
    if scope["method"] != "POST" or scope["query_string"]:
        return None
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _NOT_PLAIN or (name in _ONCE and name in found):
            return None
        found[name] = value
    length, bearer = found.get(b"content-length", b""), found.get(b"authorization", b"")
    plain = found.get(b"content-type") == b"application/json"
    if not plain or not length.isdigit() or not 0 < int(length[:8]) <= MAX_BODY_BYTES:
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


async def _send(send: Send, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
