"""Searching the registered population, one chunk for all of it or, where it is large, for each sub-district."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.population_search import search_population
from app.db.repositories import known_households
from app.db.repositories.discovery import DiscoveryRepository, added
from app.domain.access import Actor, AreaScope, Signature
from app.domain.policy.discovery import DiscoveryRun, search
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.jobs.trail import record_outcome
from app.runtime import Runtime

KIND = "policy_discovery"
HOUSEHOLDS_AT_ONCE = 20_000


async def start_discovery(
    scope: AreaScope, session: AsyncSession, run_id: UUID, area_code: str, on: date, actor: Actor, now: datetime
) -> DiscoveryRun:
    """Puts the run on record with its job."""
    chunks = chunked(area_code, await known_households.count_by_station(scope, session, area_code))
    job_id = await enqueue(
        scope, session, kind=KIND, arguments={}, chunks=chunks, requested_by=actor.id, now=now, subject_id=run_id
    )
    run = DiscoveryRun(run_id, area_code, on, job_id, Signature(actor.id, actor.name, now), None, None)
    await DiscoveryRepository(session).add_run(scope, run)
    return run


def chunked(area_code: str, stations: Mapping[str, int]) -> list[dict[str, Any]]:
    """Making the facts anew costs as much for a few households as for thousands, so a small population is one chunk."""
    if sum(stations.values()) <= HOUSEHOLDS_AT_ONCE:
        return [{"area_code": area_code, "area_codes": sorted(stations)}] if stations else []
    return [{"area_code": station, "area_codes": [station]} for station in sorted(stations)]


class DiscoveryHandler:
    """Looks at every household of an area and renews its work lists."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        discovery = DiscoveryRepository(session)
        run = await discovery.get_run(job.scope, job.subject)
        area = str(chunk.arguments["area_code"])
        book = await runtime.parameter_books.current(session)
        searched = await search_population(job.scope, session, area, book, run.on, now=now)
        noticed = await known_households.list_noticed(job.scope, session, area, run.on)
        chosen = {*searched.striking, *noticed}
        households = await known_households.list_households(job.scope, session, area, run.on, only=chosen)
        found = await asyncio.to_thread(search, households, book, run.on)
        await discovery.record(job.scope, run, area, found, now)
        return {"households": searched.households, **Counter(one.kind.value for one in found)}

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
