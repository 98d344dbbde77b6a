"""Putting a job on record, in the caller's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.session import raw_connection
from app.db.tables.jobs import Job, JobChunk
from app.domain.access import AreaScope
from app.ids import new_id

ENTRYPOINT = "job"


async def enqueue(
    scope: AreaScope,
    session: AsyncSession,
    *,
    kind: str,
    arguments: dict[str, Any],
    chunks: Sequence[dict[str, Any]],
    requested_by: UUID,
    now: datetime,
    subject_id: UUID | None = None,
) -> UUID:
    """Records a job with its chunks and hands its id to the workers when the transaction commits; returns the job's id.

    ``scope`` is the scope that the worker will take on. ``arguments`` and ``chunks`` hold ids and codes, never personal data.
    """
    job_id = new_id()
    common = {"district": scope.district, "area_code": scope.prefix}
    job = common | {
        "id": job_id,
        "kind": kind,
        "status": "queued",
        "subject_id": subject_id,
        "arguments": arguments,
        "chunks_total": len(chunks),
        "chunks_done": 0,
        "requested_by": requested_by,
        "requested_at": now,
    }
    await session.execute(insert(Job).values(**job))
    rows = [
        common
        | {"id": new_id(), "job_id": job_id, "number": number, "arguments": chunk, "status": "pending", "attempts": 0, "fence": 0}
        for number, chunk in enumerate(chunks)
    ]
    if rows:
        await session.execute(insert(JobChunk), rows)
    await hand_over(session, job_id, scope)
    return job_id


async def hand_over(session: AsyncSession, job_id: UUID, scope: AreaScope) -> None:
    """One row a job, never one a chunk: each NOTIFY slows every commit down."""
    queries = Queries(AsyncpgDriver(await raw_connection(session)))
    ticket = {"job": str(job_id), "district": scope.district, "area": scope.prefix}
    await queries.enqueue(ENTRYPOINT, orjson.dumps(ticket))


def read_ticket(payload: bytes | None) -> tuple[UUID, AreaScope]:
    """The job that a queue row names, and the scope to do it in."""
    ticket = orjson.loads(payload or b"{}")
    return UUID(ticket["job"]), AreaScope(ticket["district"], ticket["area"])
