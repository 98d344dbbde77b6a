"""What a sign-in yields and what ends it.

A sign-in is a family of refresh tokens; its id is the ``sid`` of the access tokens. Access tokens carry whole seconds, so what
ends them all counts from the next full second, and whoever signs in within that second waits for it: no token of before
survives, none of after is refused.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import accounts
from app.db.tables.accounts import Account, Client
from app.domain.access import Actor, Duty, Level
from app.security.tokens import LEEWAY_SECONDS, MAX_LIFETIME_SECONDS

REFRESH_TOKEN_BYTES = 32
CLOCKS_DIFFER_SECONDS = 0.01  # the loop sleeps by another clock than tokens are dated by
ACCESS_TOKENS_END = timedelta(seconds=MAX_LIFETIME_SECONDS + LEEWAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer of the token endpoint; clients get no refresh token, they sign in again."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None


def next_second(now: datetime) -> datetime:
    """The first whole second after ``now``: older tokens, whose ``iat`` is rounded down, all lie before it."""
    return now.replace(microsecond=0) + timedelta(seconds=1)


async def valid_again(valid_from: datetime) -> None:
    """Waits, at most about a second, until a token issued now counts."""
    left = int(valid_from.timestamp()) - time.time()
    if left > 0:
        await asyncio.sleep(left + CLOCKS_DIFFER_SECONDS)


def new_refresh_token() -> str:
    return secrets.token_urlsafe(REFRESH_TOKEN_BYTES)


def actor_of(account: Account) -> Actor:
    duties = frozenset(Duty(duty) for duty in account.duties)
    return Actor(account.id, account.username, Level(account.level), account.area_code, account.district, duties)


def actor_of_client(client: Client) -> Actor:
    return Actor(client.id, client.client_id, Level.DISTRICT, client.area_code, client.district, frozenset({Duty.BUREAU}))


async def end_sessions(session: AsyncSession, account_id: UUID, *, only: UUID | None = None, but: UUID | None = None) -> int:
    """Ends sign-ins of an account whose lock the caller holds, refresh and access tokens alike; answers how many."""
    now = datetime.now(UTC)
    return await accounts.end_sessions(session, account_id, now, only=only, but=but, access_tokens_end=now + ACCESS_TOKENS_END)


async def revoke_access_token(session: AsyncSession, jti: UUID, expires_at: int) -> None:
    """``expires_at`` in Unix seconds, as in the token."""
    until = datetime.fromtimestamp(expires_at + LEEWAY_SECONDS, UTC)
    await accounts.revoke(session, [str(jti)], now=datetime.now(UTC), expires_at=until)
