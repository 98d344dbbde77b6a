"""Doing a job: lease, work, finish; again until nothing is left."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import jobs
from app.db.session import transaction
from app.db.statistics import AT_THE_END, MEANWHILE, renew_grown_statistics
from app.db.tables.jobs import Job
from app.domain.access import AreaScope
from app.domain.errors import DomainError, Unavailable
from app.jobs.registry import ChunkView, JobView, handler_of, knows, lanes_of
from app.observability import JOB_CHUNKS, JOBS
from app.problems import domain_error_of
from app.runtime import Runtime

log = logging.getLogger("minzheng.jobs")
MAX_FAULTS = 5  # leases after which an unforeseen error is final
MAX_LEASES = 60  # leases after which even a passing fault is final, and a chunk that kills its worker is not tried again
MAX_PAUSE_SECONDS = 5.0
IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Leased:
    """A chunk in hand with the fence of its lease."""

    chunk: ChunkView
    fence: int


class JobGivenUp(Exception):
    """The job was given up while a chunk of it was being worked on: the chunk must leave no trace."""


async def run_job(runtime: Runtime, scope: AreaScope, job_id: UUID, stop: asyncio.Event | None = None) -> bool:
    """Works until the job is finished, by this worker or by others. Safe to call twice at once, and again after a kill.

    Between chunks it looks at ``stop``. False when it stopped early and the job has to be handed on.
    """
    faults = 0
    while stop is None or not stop.is_set():
        job = await _begin(runtime, scope, job_id)
        if job is None:
            return True
        if await _work_off(runtime, job, stop):
            continue
        try:
            if await _finish(runtime, job):
                return True
        except Exception as error:  # noqa: BLE001  (looked at, and raised again unless it is final)
            faults += 1
            await _unfinished(runtime, job, error, last_try=faults >= MAX_FAULTS)
        await asyncio.sleep(IDLE_SECONDS)  # another worker holds the last chunks, or held them when it died
    return False


async def _begin(runtime: Runtime, scope: AreaScope, job_id: UUID) -> JobView | None:
    """The job, marked as running; None when there is nothing (more) to do, or a newer release's worker has to do it."""
    async with transaction(runtime.engine, scope) as session:
        job = await jobs.find_job(scope, session, job_id, lock=True)
        if job is None or job.status not in jobs.OPEN:
            return None
        if not knows(job.kind):
            log.error("no handler for this kind of job", extra={"job": str(job_id), "kind": job.kind})
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


async def _work_off(runtime: Runtime, job: JobView, stop: asyncio.Event | None) -> bool:
    """Works on chunks, in as many lanes as the kind of job has, until none is to be had; False when there was none."""
    lanes = [asyncio.create_task(_lane(runtime, job, stop)) for _ in range(lanes_of(job))]
    try:
        return any(await asyncio.gather(*lanes))
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def _lane(runtime: Runtime, job: JobView, stop: asyncio.Event | None) -> bool:
    """One chunk after another, as long as the job is open."""
    worked = False
    while (stop is None or not stop.is_set()) and await _begin(runtime, job.scope, job.id) is not None:
        leased = await _lease(runtime, job)
        if leased is None:
            break
        await _work(runtime, job, leased)
        worked = True
    return worked


async def _work(runtime: Runtime, job: JobView, leased: Leased) -> None:
    try:
        if leased.chunk.attempts > MAX_LEASES:
            raise RuntimeError("leased too often: this chunk ends every worker that takes it")  # noqa: TRY301
        done = await _work_once(runtime, job, leased)
    except JobGivenUp:
        JOB_CHUNKS.labels(job.kind, "given_up").inc()
    except Exception as error:  # noqa: BLE001  (whatever happened, the chunk must not stay leased for nothing)
        await _failed(runtime, job, leased, error)
    else:
        JOB_CHUNKS.labels(job.kind, "done" if done else "fenced").inc()
        await _renew_statistics(runtime, job, MEANWHILE)


async def _work_once(runtime: Runtime, job: JobView, leased: Leased) -> bool:
    now = datetime.now(UTC)
    async with transaction(runtime.engine, job.scope) as session:
        if not await jobs.hold_chunk(job.scope, session, leased.chunk.id, leased.fence):
            return False
        result = await handler_of(job.kind).run_chunk(runtime, session, job, leased.chunk, now=now)
        if not await jobs.finish_chunk(job.scope, session, job.id, leased.chunk.id, result=result, now=now):
            raise JobGivenUp
    return True


async def _failed(runtime: Runtime, job: JobView, leased: Leased, error: Exception) -> None:
    """Faults are tried again, passing ones much longer; a refusal of the domain is final at once."""
    JOB_CHUNKS.labels(job.kind, "failed").inc()
    known = error if isinstance(error, DomainError) else domain_error_of(error)
    log.warning("job chunk failed", exc_info=error, extra={"job": str(job.id), "chunk": leased.chunk.number})
    limit = MAX_LEASES if isinstance(known, Unavailable) else MAX_FAULTS
    if leased.chunk.attempts >= limit or (known is not None and not isinstance(known, Unavailable)):
        await _give_up(runtime, job, known, leased)
        return
    async with transaction(runtime.engine, job.scope) as session:
        await jobs.release_chunk(job.scope, session, leased.chunk.id, leased.fence)
    await asyncio.sleep(min(0.2 * 2 ** min(leased.chunk.attempts, 10), MAX_PAUSE_SECONDS))


async def _give_up(runtime: Runtime, job: JobView, known: DomainError | None, leased: Leased | None = None) -> None:
    """Marks the job failed in the transaction in which its handler clears up; without the handler if that fails too."""
    problem: dict[str, Any] = {
        "code": known.code if known else "internal_error",
        "detail": known.detail if known else "后台任务多次失败，已记录。请联系管理员后重试。",
    }
    try:
        async with transaction(runtime.engine, job.scope) as session:
            if await _mark_failed(session, job, problem, leased):
                await handler_of(job.kind).give_up(runtime, session, job, problem, now=datetime.now(UTC))
    except Exception as error:
        if isinstance(domain_error_of(error), Unavailable):
            raise
        log.exception("giving up a job failed, marked as failed nevertheless", extra={"job": str(job.id)})
        async with transaction(runtime.engine, job.scope) as session:
            await _mark_failed(session, job, problem, leased)
    JOBS.labels(job.kind, "failed").inc()


async def _mark_failed(session: AsyncSession, job: JobView, problem: dict[str, Any], leased: Leased | None) -> bool:
    """False when there is nothing to give up, or somebody else has taken over the chunk that failed here."""
    stored = await jobs.find_job(job.scope, session, job.id, lock=True)
    if stored is None or stored.status not in jobs.OPEN:
        return False
    if leased is not None and not await jobs.hold_chunk(job.scope, session, leased.chunk.id, leased.fence):
        return False
    stored.status, stored.problem, stored.finished_at = "failed", problem, datetime.now(UTC)
    await session.flush()
    return True


async def _finish(runtime: Runtime, job: JobView) -> bool:
    """Marks the job succeeded when its last chunk is done; True when there is nothing left to wait for."""
    async with transaction(runtime.engine, job.scope) as session:
        stored = await jobs.find_job(job.scope, session, job.id, lock=True)
        if stored is None or stored.status not in jobs.OPEN:
            return True
        if await jobs.open_chunks(job.scope, session, job.id):
            return False
        now = datetime.now(UTC)
        await handler_of(job.kind).finish(runtime, session, job, now=now)
        stored.status, stored.finished_at = "succeeded", now
    JOBS.labels(job.kind, "succeeded").inc()
    await _renew_statistics(runtime, job, AT_THE_END)
    return True


async def _renew_statistics(runtime: Runtime, job: JobView, growth: float) -> None:
    """What comes next must not be planned as if the tables were still empty. What was done is done with or without it."""
    try:
        async with transaction(runtime.engine) as session:
            await renew_grown_statistics(session, growth)
    except (SQLAlchemyError, OSError) as error:
        log.warning("statistics not renewed", exc_info=error, extra={"job": str(job.id)})


async def _unfinished(runtime: Runtime, job: JobView, error: Exception, *, last_try: bool) -> None:
    """The end failed. A passing fault is raised, for the queue to come back later; a refusal gives the job up."""
    known = error if isinstance(error, DomainError) else domain_error_of(error)
    log.warning("finishing a job failed", exc_info=error, extra={"job": str(job.id)})
    if isinstance(known, Unavailable):
        raise error
    if known is not None or last_try:
        await _give_up(runtime, job, known)
