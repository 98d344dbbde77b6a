"""Sessions. One request is one transaction; nothing below the edge commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.domain.access import AreaScope

ENTER_SCOPE = text("SELECT set_config('app.district', :district, true), set_config('app.scope', :scope, true)")


@asynccontextmanager
async def transaction(engine: AsyncEngine, scope: AreaScope | None = None) -> AsyncIterator[AsyncSession]:
    """A session in one transaction, committed at the end, rolled back on error; with ``scope`` its walls are set.

    For workers, commands and refusals. Requests use ``app.dependencies.SessionDep``.
    """
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        if scope is not None:
            await enter_scope(session, scope)
        yield session


async def enter_scope(session: AsyncSession, scope: AreaScope) -> None:
    """Sets the walls of the running transaction; they fall with it."""
    await session.execute(ENTER_SCOPE, {"district": scope.district, "scope": scope.prefix})


async def raw_connection(session: AsyncSession) -> Any:
    """The asyncpg connection of a session, for COPY.

    Until the session has run a statement, asyncpg is in autocommit and a COPY would survive the rollback: so run one first.
    """
    connection = await session.connection()
    await connection.execute(text("SELECT 1"))
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None or not driver.is_in_transaction():
        raise RuntimeError("COPY outside a transaction")
    return driver
