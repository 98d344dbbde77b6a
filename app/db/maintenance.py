"""What an operator does to the database from time to time: partitions ahead of their months, a look at the queue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.ddl import partition_statements
from app.domain.calendar import SHANGHAI

DAYS_AHEAD = 93  # three whole months, whatever the day
PARENTS = text(
    """
    SELECT c.relname, EXISTS (
        SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'no_truncate'
    ) AS guarded
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
    WHERE p.partstrat = 'r' AND c.relnamespace = 'public'::regnamespace
    ORDER BY c.relname
    """
)
LISTENERS = text(
    """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE application_name = 'minzheng-queue' AND usename = current_user
          AND client_addr IS NOT DISTINCT FROM inet_client_addr()
    )
    """
)
PARTITIONS = text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname")


async def create_partitions(admin: URL, today: date | None = None) -> list[str]:
    """The monthly partitions of every partitioned table from this month to three months ahead; answers the new ones' names."""
    first = today or datetime.now(UTC).astimezone(SHANGHAI).date()
    engine = create_async_engine(admin)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_create, first)
    finally:
        await engine.dispose()


def _create(connection: Connection, first: date) -> list[str]:
    connection.execute(text("SELECT pg_advisory_xact_lock(7002)"))
    before = set(connection.scalars(PARTITIONS))
    for parent, guarded in connection.execute(PARENTS).all():
        for statement in partition_statements(parent, first, first + timedelta(days=DAYS_AHEAD), guarded=guarded):
            connection.exec_driver_sql(statement)
    return [name for name in connection.scalars(PARTITIONS) if name not in before]


async def queue_is_listened_to(engine: AsyncEngine) -> bool:
    """Whether a worker with the caller's role and address is connected to the job queue."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(LISTENERS))
