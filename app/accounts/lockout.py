"""Locking out after failures in a row (GB/T 22239 身份鉴别: 登录失败处理).

A lock says nothing about who exists: a name that nobody has is counted and locked like any other. Failures are counted after
the password was checked, in a transaction of their own; the ones that count beyond the limit, and even a right password that
was being checked meanwhile, are answered as locked, so that trying many at once gains nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import accounts
from app.domain.errors import TooManyRequests
from app.security.keys import KeyRing


class Kind(StrEnum):
    """Who signs in."""

    ACCOUNT = "account"
    CLIENT = "client"


def lock_name(kind: Kind, uid: UUID) -> str:
    """What failures of a known account or client are counted under."""
    return f"{kind}:{uid}"


def unknown_name(kind: Kind, name: str, keys: KeyRing) -> str:
    """The same for a name that nobody has, keyed: what was typed may be a password in the wrong field."""
    digest = keys.fingerprint("sign-in", name.encode("utf-8", "surrogatepass"))
    return f"{kind}:unknown:{digest.hex()}"


@dataclass(frozen=True, slots=True)
class Lockout:
    """After ``failures`` in a row no sign-in for ``seconds``."""

    failures: int
    seconds: int

    async def check(self, session: AsyncSession, name: str) -> None:
        """Raises ``TooManyRequests`` ``locked_out`` with the seconds left."""
        now = datetime.now(UTC)
        until = await accounts.find_lock(session, name, now)
        if until is not None:
            raise locked_out(until, now)

    async def count(self, session: AsyncSession, name: str) -> TooManyRequests | None:
        """One more failure; the refusal to answer with when it came after the lock, else None."""
        now = datetime.now(UTC)
        counted, until = await accounts.count_failure(session, name, now, limit=self.failures, lock_seconds=self.seconds)
        return locked_out(until, now) if until is not None and counted > self.failures else None


def locked_out(until: datetime, now: datetime) -> TooManyRequests:
    seconds = max(1, math.ceil((until - now).total_seconds()))
    minutes = math.ceil(seconds / 60)
    detail = f"连续登录失败次数过多，已暂时锁定，请约 {minutes} 分钟后再试；急用请联系系统管理员重置口令。"
    return TooManyRequests("locked_out", detail, retry_after_seconds=seconds)
