"""Sign-in: who a name belongs to, failures in a row, refresh tokens, revocations. No scope is known yet at this point."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_conflict
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.accounts import Account, Client, RefreshToken, RevokedToken, SignInFailures
from app.ids import new_id

ACCOUNT = columns(Account)
CLIENT = columns(Client)
FAILURES = columns(SignInFailures)
LINK = columns(RefreshToken)

# --- who -----------------------------------------------------------------------------------------------------------------


async def find_account(session: AsyncSession, username: str) -> Account | None:
    return (await session.execute(select(Account).where(ACCOUNT.username == username))).scalar_one_or_none()


async def get_locked_account(session: AsyncSession, account_id: UUID) -> Account:
    """The account as it is now, locked until the end of the transaction.

    Sign-in, rotation and everything that ends sessions take this lock first, so that no session starts unseen by what ends them.
    """
    statement = select(Account).where(ACCOUNT.id == account_id).with_for_update(key_share=True)
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()


async def find_client(session: AsyncSession, client_id: str) -> Client | None:
    return (await session.execute(select(Client).where(CLIENT.client_id == client_id))).scalar_one_or_none()


async def get_locked_client(session: AsyncSession, uid: UUID) -> Client:
    """The client as it is now, unchangeable until the end of the transaction."""
    statement = select(Client).where(CLIENT.id == uid).with_for_update(read=True)
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()


# --- failures in a row ---------------------------------------------------------------------------------------------------


async def find_lock(session: AsyncSession, name: str, now: datetime) -> datetime | None:
    """Until when ``name`` is locked out; None when it isn't."""
    statement = select(FAILURES.locked_until).where(FAILURES.name == name, FAILURES.locked_until > now)
    return (await session.execute(statement)).scalar_one_or_none()


async def count_failure(
    session: AsyncSession, name: str, now: datetime, *, limit: int, lock_seconds: int
) -> tuple[int, datetime | None]:
    """One more failure in a row: how many now, and until when the name is locked out.

    The row's lock makes parallel failures count one by one; the one that reaches ``limit`` starts the lock, later ones leave
    its end alone. The first failure after a lock has ended begins a new row.
    """
    until = now + timedelta(seconds=lock_seconds)
    first = {"failures": 1, "last_failed_at": now, "locked_until": until if limit <= 1 else None}
    over = FAILURES.locked_until <= now
    counted = case((over, 1), else_=FAILURES.failures + 1)
    lock = case(
        (FAILURES.locked_until > now, FAILURES.locked_until),
        (counted >= limit, literal(until)),
        else_=None,
    )
    statement = insert_or_conflict(SignInFailures).values(name=name, **first)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"failures": counted, "last_failed_at": now, "locked_until": lock}
    )
    row = (await session.execute(statement.returning(FAILURES.failures, FAILURES.locked_until))).one()
    return row.failures, row.locked_until


async def clear_failures(session: AsyncSession, name: str) -> None:
    await session.execute(delete(SignInFailures).where(FAILURES.name == name))


# --- refresh tokens ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RefreshLink:
    """A refresh token as stored; ``family`` is the sign-in that it belongs to."""

    id: UUID
    family: UUID
    account_id: UUID
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def digest_of(token: str) -> bytes:
    """Refresh tokens are 256 random bits: a plain digest gives nothing away."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def add_refresh_token(
    session: AsyncSession, token: str, *, account_id: UUID, family: UUID, now: datetime, expires_at: datetime
) -> None:
    values = {"account_id": account_id, "family": family, "issued_at": now, "expires_at": expires_at}
    await session.execute(insert(RefreshToken).values(id=new_id(), digest=digest_of(token), **values))


async def find_refresh_token(session: AsyncSession, token: str) -> RefreshLink | None:
    statement = select(LINK.id, LINK.family, LINK.account_id, LINK.expires_at, LINK.used_at, LINK.revoked_at)
    row = (await session.execute(statement.where(LINK.digest == digest_of(token)))).one_or_none()
    return None if row is None else RefreshLink(*row)


async def mark_used(session: AsyncSession, link: UUID, now: datetime) -> None:
    await session.execute(update(RefreshToken).where(LINK.id == link).values(used_at=now))


# --- revocation ----------------------------------------------------------------------------------------------------------


async def end_sessions(
    session: AsyncSession,
    account_id: UUID,
    now: datetime,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
    access_tokens_end: datetime,
) -> int:
    """Ends an account's sign-ins (all, ``only`` one, all ``but`` one) with the access tokens out there; answers how many.

    The caller holds the account's lock.
    """
    statement = update(RefreshToken).where(LINK.account_id == account_id, LINK.revoked_at.is_(None))
    if only is not None:
        statement = statement.where(LINK.family == only)
    if but is not None:
        statement = statement.where(LINK.family != but)
    ended = (await session.execute(statement.values(revoked_at=now).returning(LINK.family))).scalars()
    families = {str(family) for family in ended}
    await revoke(session, families, now=now, expires_at=access_tokens_end)
    return len(families)


async def revoke(session: AsyncSession, names: Iterable[str], *, now: datetime, expires_at: datetime) -> list[str]:
    """Puts token ids, sign-ins or used assertions on the list until ``expires_at``; answers those that weren't there yet."""
    rows = [{"jti": name, "expires_at": expires_at, "revoked_at": now} for name in sorted(names)]
    if not rows:
        return []
    statement = insert_or_conflict(RevokedToken).values(rows).on_conflict_do_nothing().returning(columns(RevokedToken).jti)
    return list((await session.execute(statement)).scalars())
