"""Computing a payment batch in the background, one chunk per community."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.payments import open_books
from app.domain.access import Actor, AreaScope, Signature
from app.domain.payments import service
from app.domain.payments.model import Batch
from app.domain.payments.ports import Books
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.runtime import Runtime

KIND = "payment_compute"


class PaymentJobs:
    """Starts computations in the transaction of the request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def start(self, scope: AreaScope, batch: Batch, areas: Sequence[str], actor: Actor, now: datetime) -> UUID:
        chunks = [{"area_code": area} for area in areas]
        return await enqueue(
            scope, self._session, kind=KIND, arguments={}, chunks=chunks, requested_by=actor.id, now=now, subject_id=batch.id
        )


class ComputeHandler:
    """Does the same as the computation within a request, cut by community."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        area = str(chunk.arguments["area_code"])
        taken = await service.compute_chunk(_books(runtime, session), job.scope, _batch_id(job), area, now)
        return {"claims": taken}

    async def finish(self, runtime: Runtime, session: AsyncSession, job: JobView, *, now: datetime) -> None:
        batch = await service.finish_job(_books(runtime, session), job.scope, _batch_id(job), now)
        await _record(session, job, batch, "payment_batch.computed")

    async def give_up(
        self, runtime: Runtime, session: AsyncSession, job: JobView, problem: dict[str, Any], *, now: datetime
    ) -> None:
        requested = Signature(job.requested_by, "system", now)
        batch = await service.abandon_job(_books(runtime, session), job.scope, _batch_id(job), requested)
        await _record(session, job, batch, "payment_batch.compute_failed", reason=str(problem["code"]))


def _books(runtime: Runtime, session: AsyncSession) -> Books:
    return open_books(session, runtime.cipher, runtime.blind_index)


def _batch_id(job: JobView) -> UUID:
    if job.subject_id is None:
        raise ValueError(f"job {job.id} names no batch")
    return job.subject_id


async def _record(session: AsyncSession, job: JobView, batch: Batch, action: str, reason: str | None = None) -> None:
    details = {"state": batch.state.value, "total_fen": batch.totals.total_fen, "job": str(job.id)}
    entry = AuditEntry(action, "payment_batch", batch.id, batch.request.area_code, reason=reason, details=details)
    await write_audit(session, [entry], None, district=job.scope.district)


register_handler(KIND, ComputeHandler())
