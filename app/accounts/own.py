"""What somebody does with the own account: changing the password, signing out."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.desk import set_password
from app.accounts.lockout import Kind, Lockout, lock_name
from app.accounts.sessions import end_sessions, revoke_access_token
from app.db.repositories import accounts
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.domain.access import Actor, Duty
from app.domain.errors import FieldError, Malformed
from app.security.passwords import Passwords
from app.security.tokens import Claims


class WrongPassword(Malformed):
    """The present password is wrong: on record, and one more failure in a row, so that a stolen token is no way to guess it."""

    audit = True

    def __init__(self, lockout: Lockout, account_id: UUID) -> None:
        text = "原口令不正确，请重新输入；连续错误会暂时锁定账号。"
        super().__init__("malformed_request", text, errors=[FieldError("/old_password", "wrong_password", text)])

        async def count(session: AsyncSession) -> None:
            await lockout.count(session, lock_name(Kind.ACCOUNT, account_id))

        self.consequence = count


async def change_own_password(
    session: AsyncSession,
    claims: Claims,
    audit: AuditTrail,
    *,
    old: str,
    new: str,
    passwords: Passwords,
    lockout: Lockout,
) -> None:
    """Sets a new password and ends every sign-in of the account but the caller's.

    Raises ``TooManyRequests`` ``locked_out``, ``Malformed`` for a wrong old or an unfit new password.
    """
    account = await accounts.get_locked_account(session, claims.subject)
    await lockout.check(session, lock_name(Kind.ACCOUNT, account.id))
    if not await passwords.verify(account.password_hash, old):
        raise WrongPassword(lockout, account.id)
    passwords.check(new, username=account.username, pointer="/new_password")
    if new == old:
        text = "新口令不能与原口令相同。"
        raise Malformed("weak_password", text, errors=[FieldError("/new_password", "password_unchanged", text)])
    await set_password(session, account, await passwords.hash(new), must_change=False)
    account.version += 1
    await end_sessions(session, account.id, but=claims.session)
    await audit.record(AuditEntry("password_changed", "account", account.id, fields=["password"]))


async def sign_out(session: AsyncSession, actor: Actor, claims: Claims, audit: AuditTrail) -> None:
    """Ends the sign-in that the access token belongs to, with every token of it."""
    await revoke_access_token(session, claims.jti, claims.expires_at)
    is_client = actor.has(Duty.BUREAU)
    if claims.session is not None:
        await accounts.get_locked_account(session, actor.id)
        await end_sessions(session, actor.id, only=claims.session)
    await audit.record(AuditEntry("sign_out", "client" if is_client else "account", actor.id))
