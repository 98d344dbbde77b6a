"""Doing a job: lease, work, finish; again until nothing is left."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import jobs
from app.db.session import transaction
from app.db.tables.jobs import Job
from app.domain.access import AreaScope
from app.domain.errors import DomainError, Unavailable
from app.jobs.registry import ChunkView, JobView, handler_of
from app.observability import JOB_CHUNKS, JOBS
from app.problems import domain_error_of
from app.runtime import Runtime

log = logging.getLogger("minzheng.jobs")
MAX_ATTEMPTS = 5
IDLE_SECONDS = 1.0
OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Leased:
    """A chunk in hand with the fence of its lease."""

    chunk: ChunkView
    fence: int


async def run_job(runtime: Runtime, scope: AreaScope, job_id: UUID) -> None:
    """Works until the job is finished, by this worker or by others. Safe to call twice at once, and again after a kill."""
    while True:
        job = await _begin(runtime, scope, job_id)
        if job is None:
            return
        leased = await _lease(runtime, job)
        if leased is not None:
            await _work(runtime, job, leased)
        elif await _finish(runtime, job):
            return
        else:
            await asyncio.sleep(IDLE_SECONDS)  # another worker holds the last chunks, or held them when it died


async def _begin(runtime: Runtime, scope: AreaScope, job_id: UUID) -> JobView | None:
    """The job, marked as running; None when there is nothing (more) to do."""
    async with transaction(runtime.engine, scope) as session:
        job = await jobs.find_job(scope, session, job_id, lock=True)
        if job is None or job.status not in OPEN:
            return None
        if job.status == "queued":
            job.status, job.started_at = "running", datetime.now(UTC)
        return _view(scope, job)


def _view(scope: AreaScope, job: Job) -> JobView:
    return JobView(job.id, scope, job.kind, job.subject_id, job.arguments, job.requested_by)


async def _lease(runtime: Runtime, job: JobView) -> Leased | None:
    lease = timedelta(seconds=runtime.settings.job_lease_seconds)
    async with transaction(runtime.engine, job.scope) as session:
        chunk = await jobs.lease_chunk(job.scope, session, job.id, now=datetime.now(UTC), lease=lease)
        if chunk is None:
            return None
        return Leased(ChunkView(chunk.id, chunk.number, chunk.arguments, chunk.attempts), chunk.fence)


async def _work(runtime: Runtime, job: JobView, leased: Leased) -> None:
    try:
        done = await _work_once(runtime, job, leased)
    except Exception as error:  # noqa: BLE001  (whatever happened, the chunk must not stay leased for nothing)
        await _failed(runtime, job, leased, error)
        return
    JOB_CHUNKS.labels(job.kind, "done" if done else "fenced").inc()


async def _work_once(runtime: Runtime, job: JobView, leased: Leased) -> bool:
    now = datetime.now(UTC)
    async with transaction(runtime.engine, job.scope) as session:
        if not await jobs.hold_chunk(job.scope, session, leased.chunk.id, leased.fence):
            return False
        result = await handler_of(job.kind).run_chunk(runtime, session, job, leased.chunk, now=now)
        await jobs.finish_chunk(job.scope, session, job.id, leased.chunk.id, result=result, now=now)
    return True


async def _failed(runtime: Runtime, job: JobView, leased: Leased, error: Exception) -> None:
    """Passing faults are tried again, a bounded number of times; a refusal of the domain is final at once."""
    JOB_CHUNKS.labels(job.kind, "failed").inc()
    known = error if isinstance(error, DomainError) else domain_error_of(error)
    final = isinstance(known, DomainError) and not isinstance(known, Unavailable)
    log.warning("job chunk failed", exc_info=error, extra={"job": str(job.id), "chunk": leased.chunk.number})
    async with transaction(runtime.engine, job.scope) as session:
        if final or leased.chunk.attempts >= MAX_ATTEMPTS:
            await _give_up(runtime, session, job, known)
        else:
            await jobs.release_chunk(job.scope, session, leased.chunk.id, leased.fence)
    await asyncio.sleep(min(0.2 * 2**leased.chunk.attempts, 5.0))


async def _give_up(runtime: Runtime, session: AsyncSession, job: JobView, known: DomainError | None) -> None:
    stored = await jobs.find_job(job.scope, session, job.id, lock=True)
    if stored is None or stored.status not in OPEN:
        return
    problem: dict[str, Any] = {
        "code": known.code if known else "internal_error",
        "detail": known.detail if known else "后台任务多次失败，已记录。请联系管理员后重试。",
    }
    stored.status, stored.problem, stored.finished_at = "failed", problem, datetime.now(UTC)
    await handler_of(job.kind).give_up(runtime, session, job, problem, now=datetime.now(UTC))
    JOBS.labels(job.kind, "failed").inc()


async def _finish(runtime: Runtime, job: JobView) -> bool:
    """Marks the job succeeded when its last chunk is done; True when there is nothing left to wait for."""
    async with transaction(runtime.engine, job.scope) as session:
        stored = await jobs.find_job(job.scope, session, job.id, lock=True)
        if stored is None or stored.status not in OPEN:
            return True
        if await jobs.open_chunks(job.scope, session, job.id):
            return False
        now = datetime.now(UTC)
        await handler_of(job.kind).finish(runtime, session, job, now=now)
        stored.status, stored.finished_at = "succeeded", now
    JOBS.labels(job.kind, "succeeded").inc()
    return True
