"""What an administrator does with the accounts of his district; the command line does the same without a scope to mind."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.lockout import Kind, lock_name
from app.accounts.secrets import one_time_password
from app.accounts.sessions import end_sessions, next_second
from app.db.repositories import accounts, directory
from app.db.repositories.audit import AuditEntry
from app.db.repositories.reference import find_area
from app.db.tables.accounts import Account
from app.dependencies import check_version
from app.domain.access import AreaScope, Duty
from app.domain.duties import check_duties, level_of_area
from app.domain.errors import Conflict, FieldError, Malformed
from app.ids import new_id
from app.security.passwords import Passwords

Record = Callable[[AuditEntry], Awaitable[None]]

# Names are ASCII and lower-case, so that two that look alike are the same.
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{2,49}$"


def check_name(name: str, pointer: str) -> None:
    """Raises ``Malformed`` unless ``name`` is fit for an account or a client."""
    if re.match(NAME_PATTERN, name, re.ASCII) is None or name.endswith("\n"):
        text = "名称应为 3 至 50 位小写字母、数字、点、横线、下划线，以字母或数字开头。"
        raise Malformed("malformed_request", text, errors=[FieldError(pointer, "wrong_format", text)])


@dataclass(frozen=True, slots=True)
class Particulars:
    """What of an account its administrator decides."""

    display_name: str
    area_code: str
    duties: Collection[Duty]


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """Keeps the accounts of ``scope`` in one transaction. ``own`` is the administrator's own account; ``by`` his name."""

    scope: AreaScope
    session: AsyncSession
    passwords: Passwords
    record: Record
    by: str
    own: UUID | None
    today: date

    async def add(self, username: str, given: Particulars, password: str | None = None) -> tuple[Account, str]:
        """A new account and its password: ``password``, or a one-time one that its owner has to change.

        Raises ``Malformed`` (area, duties), ``Conflict`` (``incompatible_duties``, ``username_taken``).
        """
        check_name(username, "/username")
        await self._check(given)
        now, one_time = datetime.now(UTC), password is None
        password = self._chosen(password, username)
        account = Account(
            id=new_id(),
            username=username,
            display_name=given.display_name,
            password_hash=await self.passwords.hash(password),
            password_set_at=now,
            must_change_password=one_time,
            level=level_of_area(given.area_code).value,
            area_code=given.area_code,
            district=self.scope.district,
            duties=_sorted(given.duties),
            version=1,
            created_at=now,
            created_by=self.by,
            tokens_valid_from=now,
        )
        await directory.add(self.scope, self.session, account)
        await self._note("account_added", account, ["username", "display_name", "area_code", "duties"])
        return account, password

    async def change(self, account_id: UUID, version: int | None, given: Particulars) -> Account:
        """New particulars. Other duties or another area end the account's sign-ins at once.

        Raises ``NotFound``, ``PreconditionFailed`` and what ``add`` raises; ``Conflict`` ``own_account`` for duties and area.
        """
        account = await directory.get_account(self.scope, self.session, account_id, lock=True)
        check_version(version, account.version)
        await self._check(given)
        fields = _changed_fields(account, given)
        if not fields:
            return account
        if fields != ["display_name"]:
            self._refuse_own(account)
            account.tokens_valid_from = next_second(datetime.now(UTC))
            await end_sessions(self.session, account.id)
        account.display_name = given.display_name
        account.area_code, account.level = given.area_code, level_of_area(given.area_code).value
        account.duties = _sorted(given.duties)
        await self._changed("account_changed", account, fields)
        return account

    async def disable(self, account_id: UUID, version: int | None = None) -> Account:
        """No sign-in, and existing tokens are refused from the next request on."""
        account = await self._open(account_id, version)
        self._refuse_own(account)
        if account.disabled_at is not None:
            raise Conflict("account_disabled", "该账号已经停用，无须再次停用。")
        now = datetime.now(UTC)
        account.disabled_at, account.tokens_valid_from = now, next_second(now)
        await end_sessions(self.session, account.id)
        await self._changed("account_disabled", account, ["disabled_at"])
        return account

    async def enable(self, account_id: UUID, version: int | None = None) -> Account:
        """Sign-in with the former password again; failures in a row are forgotten."""
        account = await self._open(account_id, version)
        if account.disabled_at is None:
            raise Conflict("account_not_disabled", "该账号没有停用，无须启用。")
        account.disabled_at = None
        await accounts.clear_failures(self.session, lock_name(Kind.ACCOUNT, account.id))
        await self._changed("account_enabled", account, ["disabled_at"])
        return account

    async def reset_password(
        self, account_id: UUID, version: int | None = None, password: str | None = None
    ) -> tuple[Account, str]:
        """A new password: ``password``, or a one-time one. Ends the account's sign-ins and its lock-out."""
        account = await self._open(account_id, version)
        self._refuse_own(account)
        one_time = password is None
        password = self._chosen(password, account.username)
        await set_password(self.session, account, await self.passwords.hash(password), must_change=one_time)
        account.tokens_valid_from = next_second(datetime.now(UTC))
        await end_sessions(self.session, account.id)
        await self._changed("password_reset", account, ["password"])
        return account, password

    def _chosen(self, password: str | None, username: str) -> str:
        if password is None:
            return one_time_password()
        self.passwords.check(password, username=username)
        return password

    async def _open(self, account_id: UUID, version: int | None) -> Account:
        account = await directory.get_account(self.scope, self.session, account_id, lock=True)
        check_version(version, account.version)
        return account

    async def _check(self, given: Particulars) -> None:
        level = level_of_area(given.area_code)
        if not self.scope.covers(given.area_code) or await find_area(self.session, given.area_code, self.today) is None:
            text = f"区划 {given.area_code} 不存在、已撤销或不在您的辖区内，请核对区划代码。"
            raise Malformed("malformed_request", text, errors=[FieldError("/area_code", "area_not_in_force", text)])
        check_duties(level, given.duties)

    def _refuse_own(self, account: Account) -> None:
        """Nobody locks himself out or hands duties to himself."""
        if account.id == self.own:
            raise Conflict("own_account", "不能对自己的账号办理此操作，请由另一名系统管理员办理；修改本人口令请用“修改口令”。")

    async def _changed(self, action: str, account: Account, fields: Sequence[str]) -> None:
        account.version += 1
        await self.session.flush()
        await self._note(action, account, fields)

    async def _note(self, action: str, account: Account, fields: Sequence[str]) -> None:
        await self.record(AuditEntry(action, "account", account.id, area_code=account.area_code, fields=fields))


async def set_password(session: AsyncSession, account: Account, password_hash: str, *, must_change: bool) -> None:
    """For an account whose lock the caller holds; forgets failures in a row."""
    account.password_hash = password_hash
    account.password_set_at = datetime.now(UTC)
    account.must_change_password = must_change
    await accounts.clear_failures(session, lock_name(Kind.ACCOUNT, account.id))


def _sorted(duties: Collection[Duty]) -> list[str]:
    return sorted({duty.value for duty in duties})


def _changed_fields(account: Account, given: Particulars) -> list[str]:
    wanted = {"display_name": given.display_name, "area_code": given.area_code, "duties": _sorted(given.duties)}
    return [name for name, value in wanted.items() if getattr(account, name) != value]
