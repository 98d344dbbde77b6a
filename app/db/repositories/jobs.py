"""Leasing and finishing chunks, reading jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.tables.jobs import Job, JobChunk
from app.domain.access import AreaScope

JOB = columns(Job)
CHUNK = columns(JobChunk)
OPEN = ("queued", "running")


async def find_job(scope: AreaScope, session: AsyncSession, job_id: UUID, *, lock: bool = False) -> Job | None:
    statement = select(Job).where(JOB.district == scope.district, JOB.id == job_id)
    statement = statement.with_for_update() if lock else statement
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


async def list_open_jobs(scope: AreaScope, session: AsyncSession, *, made_before: datetime) -> list[tuple[UUID, str]]:
    """Ids and area codes of the scope's jobs that are neither finished nor given up, the oldest first.

    By the time in their ids: ``requested_at`` is the business's time, in the demo any day.
    """
    until = UUID(int=int(made_before.timestamp() * 1000) << 80)
    statement = select(JOB.id, JOB.area_code).where(JOB.district == scope.district, JOB.status.in_(OPEN), JOB.id < until)
    return [(row.id, row.area_code) for row in await session.execute(statement.order_by(JOB.id))]


async def lease_chunk(
    scope: AreaScope, session: AsyncSession, job_id: UUID, *, now: datetime, lease: timedelta
) -> JobChunk | None:
    """Takes the next chunk that is pending or whose holder has gone silent; its fence grows with every lease."""
    free = or_(CHUNK.status == "pending", (CHUNK.status == "leased") & (CHUNK.leased_until < now))
    statement = (
        select(JobChunk)
        .where(CHUNK.district == scope.district, CHUNK.job_id == job_id, free)
        .order_by(CHUNK.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    chunk = (await session.execute(statement)).scalar_one_or_none()
    if chunk is not None:
        chunk.status, chunk.fence, chunk.attempts = "leased", chunk.fence + 1, chunk.attempts + 1
        chunk.leased_until = now + lease
        await session.flush()
    return chunk


async def hold_chunk(scope: AreaScope, session: AsyncSession, chunk_id: UUID, fence: int) -> bool:
    """Locks the chunk for the working transaction; False when another lease has been given out since."""
    statement = select(CHUNK.fence, CHUNK.status).where(CHUNK.district == scope.district, CHUNK.id == chunk_id).with_for_update()
    row = (await session.execute(statement)).one()
    return bool(row.fence == fence and row.status == "leased")


async def finish_chunk(
    scope: AreaScope, session: AsyncSession, job_id: UUID, chunk_id: UUID, *, result: dict[str, Any] | None, now: datetime
) -> bool:
    """Marks the chunk done; False when the job was given up meanwhile, so that the chunk must not take effect."""
    done = update(JobChunk).where(CHUNK.district == scope.district, CHUNK.id == chunk_id)
    await session.execute(done.values(status="done", finished_at=now, result=result, leased_until=None))
    progress = update(Job).where(JOB.district == scope.district, JOB.id == job_id, JOB.status.in_(OPEN))
    counted = await session.execute(progress.values(chunks_done=JOB.chunks_done + 1).returning(JOB.id))
    return counted.one_or_none() is not None


async def release_chunk(scope: AreaScope, session: AsyncSession, chunk_id: UUID, fence: int) -> None:
    """Gives a chunk back after a failure, unless somebody else holds it by now."""
    mine = update(JobChunk).where(CHUNK.district == scope.district, CHUNK.id == chunk_id, CHUNK.fence == fence)
    await session.execute(mine.values(status="pending", leased_until=None))


async def open_chunks(scope: AreaScope, session: AsyncSession, job_id: UUID) -> int:
    statement = select(func.count()).where(CHUNK.district == scope.district, CHUNK.job_id == job_id, CHUNK.status != "done")
    return int((await session.execute(statement)).scalar_one())
