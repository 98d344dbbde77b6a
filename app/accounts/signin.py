"""The grants of the token endpoint.

Each reads in one short transaction, checks the password outside of any (hashing must not hold a connection), and either issues
in a second one or records the refusal in a second one, committed before the answer. What is issued is decided under the lock of
the account, so that a sign-in and whatever ends sign-ins (disabling, a reset, log-out) never miss each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.lockout import Kind, Lockout, lock_name, unknown_name
from app.accounts.sessions import Grant, actor_of, end_sessions, new_refresh_token, valid_again
from app.db.repositories import accounts
from app.db.repositories.accounts import RefreshLink
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.session import transaction
from app.db.tables.accounts import Account, Client
from app.domain.errors import DomainError, Unauthenticated
from app.ids import new_id
from app.runtime import Runtime


def invalid_credentials() -> Unauthenticated:
    """One answer for a wrong name, a wrong password and an account that may not sign in."""
    return Unauthenticated("invalid_credentials", "用户名或口令不正确，或账号不可用。请核对后重试，或联系系统管理员。")


def invalid_refresh_token() -> Unauthenticated:
    """One answer for unknown, expired, used and revoked tokens."""
    return Unauthenticated("invalid_refresh_token", "登录已失效，请重新登录。")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries to sign in: the account or client behind the name, if any, and where its failures are counted."""

    kind: Kind
    row: Account | Client | None
    lock: str


class SignIn:
    """Signing in of staff: by password, and by refresh token."""

    def __init__(self, runtime: Runtime) -> None:
        self._engine = runtime.engine
        self._runtime = runtime
        self._settings = runtime.settings
        self._lockout = Lockout(runtime.settings.lockout_failures, runtime.settings.lockout_seconds)

    def may_sign_in(self, row: Account | Client) -> bool:
        """Demo data in a real installation opens nothing, whatever its password has become."""
        return row.disabled_at is None and (self._settings.demo or not row.demo)

    async def with_password(self, username: str, password: str) -> Grant:
        """Raises ``invalid_credentials`` (401) or ``locked_out`` (429). Capitals in a name are the phone's doing."""
        name = username.strip().lower()
        async with transaction(self._engine) as session:
            account = await accounts.find_account(session, name)
            lock = lock_name(Kind.ACCOUNT, account.id) if account else unknown_name(Kind.ACCOUNT, name, self._runtime.keys)
            await self._lockout.check(session, lock)
        right = await self._runtime.passwords.verify(account.password_hash if account else None, password)
        if account is None or not right or not self.may_sign_in(account):
            raise await self.refused(Caller(Kind.ACCOUNT, account, lock), "password", invalid_credentials(), right=right)
        rehashed = await self._rehashed(account, password)
        async with transaction(self._engine) as session:
            return await self._begin(session, account, lock, rehashed)

    async def _rehashed(self, account: Account, password: str) -> str | None:
        passwords = self._runtime.passwords
        return await passwords.hash(password) if passwords.needs_rehash(account.password_hash) else None

    async def _begin(self, session: AsyncSession, seen: Account, lock: str, rehashed: str | None) -> Grant:
        account = await accounts.get_locked_account(session, seen.id)
        if account.password_set_at != seen.password_set_at or not self.may_sign_in(account):
            raise invalid_credentials()  # changed while the password was being checked
        await self._lockout.check(session, lock)
        await accounts.clear_failures(session, lock)
        if rehashed is not None:
            account.password_hash = rehashed
        expires_at = datetime.now(UTC) + timedelta(seconds=self._settings.refresh_token_seconds)
        family = new_id()
        entry = AuditEntry("sign_in", "account", account.id, details={"grant": "password", "session": str(family)})
        await write_audit(session, [entry], actor_of(account))
        return await self._issue(session, account, family, expires_at)

    async def _issue(self, session: AsyncSession, account: Account, family: UUID, expires_at: datetime) -> Grant:
        """``expires_at`` is the end of the whole sign-in: rotation doesn't prolong it."""
        await valid_again(account.tokens_valid_from)
        refresh, tokens, actor = new_refresh_token(), self._runtime.tokens, actor_of(account)
        await accounts.add_refresh_token(
            session, refresh, account_id=account.id, family=family, now=datetime.now(UTC), expires_at=expires_at
        )
        access = tokens.issue_access_token(
            subject=account.id, level=actor.level, area=actor.area, duties=actor.duties, session=family
        )
        return Grant(access, tokens.lifetime_seconds, refresh)

    async def with_refresh_token(self, token: str) -> Grant:
        """The next pair of tokens. Raises ``invalid_refresh_token`` (401).

        A token is good once. Used again, by whoever, its whole sign-in ends: one of the two users isn't the owner. Two at the
        same moment are no exception, so a caller must not refresh twice in parallel.
        """
        async with transaction(self._engine) as session:
            found = await accounts.find_refresh_token(session, token)
            if found is None:
                raise invalid_refresh_token()
            account = await accounts.get_locked_account(session, found.account_id)
            link = await accounts.find_refresh_token(session, token)
            now = datetime.now(UTC)
            if link is not None and _is_good(link, now) and self.may_sign_in(account):
                await accounts.mark_used(session, link.id, now)
                entry = AuditEntry("sign_in_renewed", "account", account.id, details={"session": str(link.family)})
                await write_audit(session, [entry], actor_of(account))
                return await self._issue(session, account, link.family, link.expires_at)
        await self._end_if_reused(found.family, token, account)
        raise invalid_refresh_token()

    async def _end_if_reused(self, family: UUID, token: str, account: Account) -> None:
        async with transaction(self._engine) as session:
            await accounts.get_locked_account(session, account.id)
            link = await accounts.find_refresh_token(session, token)
            if link is None or link.used_at is None:
                return
            await end_sessions(session, account.id, only=family)
            entry = AuditEntry(
                "refresh_token_reused",
                "account",
                account.id,
                area_code=account.area_code,
                reason="invalid_refresh_token",
                outcome="refused",
                details={"session": str(family)},
            )
            await write_audit(session, [entry], None, actor_name="anonymous", district=account.district)

    async def refused(
        self, caller: Caller, grant: str, error: DomainError, *, right: bool = False, counted: bool = True
    ) -> DomainError:
        """Counts and records a failed sign-in; what to answer: ``error``, or that the name is locked out by now."""
        async with transaction(self._engine) as session:
            locked = await self._lockout.count(session, caller.lock) if counted else None
            entry = AuditEntry(
                "sign_in",
                caller.kind.value,
                caller.row.id if caller.row else None,
                area_code=caller.row.area_code if caller.row else None,
                reason=error.code,
                outcome="refused",
                details=_why(caller, grant, right=right),
            )
            district = caller.row.district if caller.row else None
            await write_audit(session, [entry], None, actor_name="anonymous", district=district)
        return locked or error


def _is_good(link: RefreshLink, now: datetime) -> bool:
    return link.used_at is None and link.revoked_at is None and link.expires_at > now


def _why(caller: Caller, grant: str, *, right: bool) -> dict[str, Any]:
    """For the auditor's eyes; the caller isn't told which."""
    if caller.row is None:
        cause = "unknown_name"
    elif right:
        cause = "may_not_sign_in"
    else:
        cause = "wrong_secret"
    return {"grant": grant, "cause": cause}
