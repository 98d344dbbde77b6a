"""Accounts and clients as their administrator sees them: within his area. The tables have no wall of their own, so this is it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Column, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from app.db.base import columns
from app.db.tables.accounts import Account, Client
from app.domain.access import AreaScope, Duty
from app.domain.errors import NotFound

ACCOUNT = columns(Account)
CLIENT = columns(Client)
Row = TypeVar("Row", Account, Client)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What a list is narrowed to; None doesn't narrow."""

    area_code: str | None = None
    duty: Duty | None = None
    disabled: bool | None = None


def _within(statement: Select[Row], table: ReadOnlyColumnCollection[str, Column[Any]], scope: AreaScope) -> Select[Row]:
    below = (table.area_code >= scope.prefix, table.area_code < scope.prefix + "~")
    return statement.where(table.district == scope.district, *below)


async def get_account(scope: AreaScope, session: AsyncSession, account_id: UUID, *, lock: bool = False) -> Account:
    """The account, with ``lock`` held against changes and sign-ins until the end of the transaction."""
    statement = _within(select(Account).where(ACCOUNT.id == account_id), ACCOUNT, scope)
    if lock:
        statement = statement.with_for_update(key_share=True)
    found = (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if found is None:
        raise NotFound("account_not_found", "没有该账号，或不在您的辖区内，请核对编号。")
    return found


def _narrowed(scope: AreaScope, only: AccountFilter) -> Select[Account]:
    statement = _within(select(Account), ACCOUNT, scope)
    if only.area_code is not None:
        statement = statement.where(ACCOUNT.area_code >= only.area_code, ACCOUNT.area_code < only.area_code + "~")
    if only.duty is not None:
        statement = statement.where(ACCOUNT.duties.contains([only.duty.value]))
    if only.disabled is not None:
        statement = statement.where(ACCOUNT.disabled_at.is_not(None) if only.disabled else ACCOUNT.disabled_at.is_(None))
    return statement


async def list_accounts(
    scope: AreaScope, session: AsyncSession, only: AccountFilter, *, after: str | None, limit: int
) -> Sequence[Account]:
    """By username, from the one that follows ``after``."""
    statement = _narrowed(scope, only)
    if after is not None:
        statement = statement.where(ACCOUNT.username > after)
    return (await session.execute(statement.order_by(ACCOUNT.username).limit(limit))).scalars().all()


async def count_accounts(scope: AreaScope, session: AsyncSession, only: AccountFilter) -> int:
    counted = select(func.count()).select_from(_narrowed(scope, only).subquery())
    return int((await session.execute(counted)).scalar_one())


async def get_client(scope: AreaScope, session: AsyncSession, uid: UUID, *, lock: bool = False) -> Client:
    """The client, with ``lock`` held against changes and sign-ins until the end of the transaction."""
    statement = _within(select(Client).where(CLIENT.id == uid), CLIENT, scope)
    if lock:
        statement = statement.with_for_update(key_share=True)
    found = (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()
    if found is None:
        raise NotFound("client_not_found", "没有该客户端，或不在您的辖区内，请核对编号。")
    return found


async def list_clients(scope: AreaScope, session: AsyncSession, *, after: str | None, limit: int) -> Sequence[Client]:
    """By client_id, from the one that follows ``after``."""
    statement = _within(select(Client), CLIENT, scope)
    if after is not None:
        statement = statement.where(CLIENT.client_id > after)
    return (await session.execute(statement.order_by(CLIENT.client_id).limit(limit))).scalars().all()


async def count_clients(scope: AreaScope, session: AsyncSession) -> int:
    counted = select(func.count()).select_from(_within(select(Client), CLIENT, scope).subquery())
    return int((await session.execute(counted)).scalar_one())


async def add(scope: AreaScope, session: AsyncSession, row: Account | Client) -> None:
    """Adds an account or client of the scope; a taken name is a ``Conflict`` by its constraint."""
    if row.district != scope.district or not scope.covers(row.area_code):
        raise ValueError("outside the scope")
    session.add(row)
    await session.flush()
