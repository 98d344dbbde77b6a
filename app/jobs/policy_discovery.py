"""Searching the registered population, one chunk per sub-district."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories import known_households
from app.db.repositories.discovery import DiscoveryRepository, added
from app.domain.access import Actor, AreaScope
from app.domain.eligibility import ParameterBook
from app.domain.policy.discovery import DiscoveryRun, Finding, KnownHousehold, findings_of
from app.domain.policy.model import Signature
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.jobs.trail import record_outcome
from app.runtime import Runtime

KIND = "policy_discovery"


async def start_discovery(
    scope: AreaScope, session: AsyncSession, run_id: UUID, area_code: str, on: date, actor: Actor, now: datetime
) -> DiscoveryRun:
    """Puts the run on record with a job that has a chunk for each sub-district."""
    areas = await known_households.list_stations(scope, session, area_code)
    chunks = [{"area_code": area} for area in areas]
    job_id = await enqueue(
        scope, session, kind=KIND, arguments={}, chunks=chunks, requested_by=actor.id, now=now, subject_id=run_id
    )
    run = DiscoveryRun(run_id, area_code, on, job_id, Signature(actor.id, actor.name, now), None, None)
    await DiscoveryRepository(session).add_run(scope, run)
    return run


def search(households: Sequence[KnownHousehold], book: ParameterBook, on: date) -> list[Finding]:
    return [finding for household in households for finding in findings_of(household, book, on)]


class DiscoveryHandler:
    """Looks at every household of one sub-district and renews its work lists."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        discovery = DiscoveryRepository(session)
        run = await discovery.get_run(job.scope, job.subject)
        area = str(chunk.arguments["area_code"])
        book = await runtime.parameter_books.current(session)
        households = await known_households.list_households(job.scope, session, area, run.on)
        found = await asyncio.to_thread(search, households, book, run.on)
        await discovery.record(job.scope, run, area, found, now)
        return {"households": len(households), **Counter(one.kind.value for one in found)}

    async def finish(
        self,
        runtime: Runtime,  # noqa: ARG002  (the signature of every handler)
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        discovery = DiscoveryRepository(session)
        counts = added(await discovery.chunk_counts(job.scope, job.id))
        await discovery.finish_run(job.scope, job.subject, counts, now)
        await record_outcome(session, job, "discovery.finished", "discovery_run")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,  # noqa: ARG002
    ) -> None:
        await record_outcome(session, job, "discovery.failed", "discovery_run", reason=str(problem["code"]))


register_handler(KIND, DiscoveryHandler())
