"""Signing in of other bureaus' systems: by secret, or by an assertion that they sign themselves (RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.lockout import Kind, Lockout, lock_name, unknown_name
from app.accounts.sessions import Grant, actor_of_client, valid_again
from app.accounts.signin import Caller, SignIn
from app.db.repositories import accounts
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import transaction
from app.db.tables.accounts import Client
from app.domain.errors import Unauthenticated
from app.runtime import Runtime
from app.security.tokens import ClientAssertion, client_of_assertion, verify_client_assertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH = "/api/v1/auth/token"  # noqa: S105  (a path)


def invalid_client() -> Unauthenticated:
    """One answer for an unknown client, a wrong secret or signature, a repeated assertion and a disabled client."""
    return Unauthenticated("invalid_client", "客户端身份验证失败，请检查客户端编号、密钥或签名后重试。")


class ClientSignIn:
    """The client_credentials grant."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._engine = runtime.engine
        self._staff = SignIn(runtime)
        self._lockout = Lockout(runtime.settings.lockout_failures, runtime.settings.lockout_seconds)
        self.audience = runtime.settings.issuer.rstrip("/") + TOKEN_PATH

    async def with_secret(self, client_id: str, secret: str) -> Grant:
        """Raises ``invalid_client`` (401) or ``locked_out`` (429)."""
        async with transaction(self._engine) as session:
            caller = await self._caller(session, client_id)
            await self._lockout.check(session, caller.lock)
        client = caller.row if isinstance(caller.row, Client) else None
        right = await self._runtime.passwords.verify(client.secret_hash if client else None, secret)
        if client is None or not right or not self._staff.may_sign_in(client):
            raise await self._staff.refused(caller, "client_secret", invalid_client(), right=right)
        async with transaction(self._engine) as session:
            current = await accounts.get_locked_client(session, client.id)
            if current.secret_hash != client.secret_hash or not self._staff.may_sign_in(current):
                raise invalid_client()  # changed while the secret was being checked
            await self._lockout.check(session, caller.lock)
            await accounts.clear_failures(session, caller.lock)
            return await self._issue(session, current, "client_secret")

    async def with_assertion(self, assertion: str, client_id: str | None) -> Grant:
        """Raises ``invalid_client`` (401). Signatures can't be guessed, so failures lock nobody out; they are recorded."""
        claimed = client_of_assertion(assertion)
        async with transaction(self._engine) as session:
            caller = await self._caller(session, claimed)
            if caller.row is not None and client_id in (None, claimed):
                client = await accounts.get_locked_client(session, caller.row.id)
                verified = self._verified(assertion, client)
                if verified and self._staff.may_sign_in(client) and await _is_first_use(session, client, verified):
                    return await self._issue(session, client, "private_key_jwt")
        raise await self._staff.refused(caller, "private_key_jwt", invalid_client(), counted=False)

    def _verified(self, assertion: str, client: Client) -> ClientAssertion | None:
        if client.public_jwk is None:
            return None
        try:
            return verify_client_assertion(
                assertion, client_id=client.client_id, public_jwk=client.public_jwk, token_endpoint=self.audience
            )
        except Unauthenticated:
            return None

    async def _caller(self, session: AsyncSession, client_id: str) -> Caller:
        client = await accounts.find_client(session, client_id)
        if client is None:
            return Caller(Kind.CLIENT, None, unknown_name(Kind.CLIENT, client_id, self._runtime.keys))
        return Caller(Kind.CLIENT, client, lock_name(Kind.CLIENT, client.id))

    async def _issue(self, session: AsyncSession, client: Client, method: str) -> Grant:
        await valid_again(client.tokens_valid_from)
        actor, tokens = actor_of_client(client), self._runtime.tokens
        access = tokens.issue_access_token(subject=client.id, level=actor.level, area=actor.area, duties=actor.duties)
        entry = AuditEntry("sign_in", "client", client.id, details={"grant": method})
        await write_audit(session, [entry], actor)
        return Grant(access, tokens.lifetime_seconds)


async def _is_first_use(session: AsyncSession, client: Client, assertion: ClientAssertion) -> bool:
    """A jti counts per client and is remembered as long as the assertion would live."""
    name = f"assertion:{client.id}:{hashlib.sha256(assertion.jti.encode()).hexdigest()}"
    until = datetime.fromtimestamp(assertion.expires_at, UTC)
    return await accounts.revoke(session, [name], now=datetime.now(UTC), expires_at=until) == [name]


def client_of_basic(header: str | None) -> tuple[str, str] | None:
    """Client and secret of an HTTP Basic header (RFC 6749 2.3.1: both form-encoded); None without one or with an empty one.

    Raises ``invalid_client`` when it can't be read.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise invalid_client() from None
    return (unquote_plus(name), unquote_plus(secret)) if name else None
