"""A few driver connections kept open beside an engine's pool, for answers that are one statement long.

Handing a pooled connection out and taking it back costs more than such a statement takes. A kept one runs single statements and
nothing else, each its own transaction, so that there is no state to clean up between two callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.statements import DATABASE_FAILURES, Call, Record, Statement
from app.db.turns import Turns, Undone

Result = TypeVar("Result")

CLOSING_SECONDS = 2.0


class Fetches(Protocol):
    """Where a statement may be run: on a kept connection by itself, or as a part of a transaction."""

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Record]: ...

    async def write(self, statement: Statement, values: Mapping[str, Any], turn: Hashable) -> Sequence[Record]:
        """Like ``fetch``, of a statement that locks what ``turn`` names until it is committed."""
        ...


class WithinTransaction:
    """Runs statements in the transaction of a pooled connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Record]:
        rows: Sequence[Any] = (await self._connection.execute(statement.clause, dict(values))).mappings().all()
        return rows

    async def write(self, statement: Statement, values: Mapping[str, Any], turn: Hashable) -> Sequence[Record]:  # noqa: ARG002
        return await self.fetch(statement, values)


class KeptConnections:
    """At most ``most`` connections, opened when they are first needed and by the engine's own settings."""

    def __init__(self, engine: AsyncEngine, *, most: int, patience_seconds: float) -> None:
        self._engine = engine
        self._places = asyncio.Semaphore(most)
        self._patience_seconds = patience_seconds
        self._idle: list[asyncpg.Connection[Any]] = []
        self._turns = Turns(self.fetch, self.fetch_together, patience_seconds=patience_seconds)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Record]:
        """All rows of one statement, committed when they are returned.

        Raises:
            DATABASE_FAILURES: among them ``TimeoutError`` when no connection became free in time.

        """
        return await self._run(lambda connection: _rows(connection, statement, values))

    async def fetch_together(self, statements: Sequence[Call]) -> Sequence[Sequence[Record]]:
        """The rows of each statement, all committed at once.

        Raises:
            Undone: one of them failed, so none of them counts.

        """
        return await self._run(lambda connection: _rows_together(connection, statements))

    async def write(self, statement: Statement, values: Mapping[str, Any], turn: Hashable) -> Sequence[Record]:
        """Like ``fetch``; statements of one turn, which would wait for one another's commit, share the next one (``Turns``)."""
        return await self._turns.write(statement, values, turn)

    async def close(self) -> None:
        while self._idle:
            with suppress(asyncpg.InternalClientError, *DATABASE_FAILURES):  # the server may have gone before
                await self._idle.pop().close(timeout=CLOSING_SECONDS)

    async def _run(self, work: Callable[[asyncpg.Connection[Any]], Awaitable[Result]]) -> Result:
        await self._take_place()
        try:
            connection = await self._open()
            try:
                result = await work(connection)
            except asyncpg.InternalClientError as confused:  # what it says when the server hangs up between two statements
                self._give_up(connection)
                raise asyncpg.ConnectionDoesNotExistError("connection was closed") from confused
            except BaseException:
                self._give_up(connection)
                raise
            self._idle.append(connection)
            return result
        finally:
            self._places.release()

    def _give_up(self, failed: asyncpg.Connection[Any]) -> None:
        """Who knows what it is still waiting for; and when a server goes, it takes the idle ones along."""
        for connection in (failed, *self._idle):
            connection.terminate()
        self._idle.clear()

    async def _take_place(self) -> None:
        if self._places.locked():
            async with asyncio.timeout(self._patience_seconds):
                await self._places.acquire()
        else:
            await self._places.acquire()

    async def _open(self) -> asyncpg.Connection[Any]:
        while self._idle:
            kept = self._idle.pop()
            if not kept.is_closed():
                return kept
        pooled: Any = await self._engine.raw_connection()
        connection: asyncpg.Connection[Any] = pooled.driver_connection
        pooled.detach()
        return connection


async def _rows(connection: asyncpg.Connection[Any], statement: Statement, values: Mapping[str, Any]) -> Sequence[Record]:
    rows: Sequence[Record] = await connection.fetch(statement.sql, *[values[name] for name in statement.places])
    return rows


async def _rows_together(connection: asyncpg.Connection[Any], statements: Sequence[Call]) -> Sequence[Sequence[Record]]:
    transaction = connection.transaction()
    try:
        await transaction.start()
        rows = [await _rows(connection, statement, values) for statement, values in statements]
    except Exception as failed:
        raise Undone from failed
    await transaction.commit()
    return rows
