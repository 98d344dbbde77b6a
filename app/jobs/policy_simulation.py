"""Simulating a parameter set in the background, one chunk per community."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.policy import active_sets, read_book, read_rows
from app.db.repositories.policy_runs import RunningCaseRepository, SimulationRepository
from app.domain.access import Actor, AreaScope
from app.domain.eligibility import content_hash
from app.domain.policy.model import PolicySet
from app.domain.policy.simulating import SimulationRequest, require_unchanged
from app.domain.policy.simulation import compare_all, summarise
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.jobs.trail import record_outcome
from app.runtime import Runtime

KIND = "policy_simulation"


class SimulationJobs:
    """Starts simulations in the transaction of the request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def start(
        self, scope: AreaScope, simulation_id: UUID, request: SimulationRequest, replacing: PolicySet, actor: Actor, now: datetime
    ) -> UUID:
        before = await active_sets(self._session)
        after = before | {replacing.area_code: replacing.id}
        cases = RunningCaseRepository(self._session)
        areas = await cases.list_communities(scope, request.area_code, request.programmes)
        return await enqueue(
            scope,
            self._session,
            kind=KIND,
            arguments={"before": sorted(map(str, before.values())), "after": sorted(map(str, after.values()))},
            chunks=[{"area_code": area} for area in areas],
            requested_by=actor.id,
            now=now,
            subject_id=simulation_id,
        )


class SimulationHandler:
    """Replays the running entitlements of one community under both books."""

    async def run_chunk(
        self,
        runtime: Runtime,  # noqa: ARG002  (the signature of every handler)
        session: AsyncSession,
        job: JobView,
        chunk: ChunkView,
        *,
        now: datetime,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        simulations = SimulationRepository(session)
        simulation = await simulations.get(job.scope, job.subject)
        require_unchanged(simulation, content_hash(await read_rows(session, simulation.set_id)))
        before, after = [await read_book(session, [UUID(one) for one in job.arguments[side]]) for side in ("before", "after")]
        area = str(chunk.arguments["area_code"])
        cases = await RunningCaseRepository(session).list_cases(job.scope, area, simulation.programmes)
        differing, tallies = await asyncio.to_thread(compare_all, cases, before, after, simulation.on)
        await simulations.add_differences(job.scope, simulation.id, differing)
        return tallies

    async def finish(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        simulations, simulation_id = SimulationRepository(session), job.subject
        simulation = await simulations.get(job.scope, simulation_id)
        require_unchanged(simulation, content_hash(await read_rows(session, simulation.set_id)))
        summary = summarise(await simulations.tallies(job.scope, job.id))
        await simulations.finish(job.scope, simulation_id, summary, now)
        await record_outcome(session, job, "simulation.finished", "simulation")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,  # noqa: ARG002
    ) -> None:
        await record_outcome(session, job, "simulation.failed", "simulation", reason=str(problem["code"]))


register_handler(KIND, SimulationHandler())
