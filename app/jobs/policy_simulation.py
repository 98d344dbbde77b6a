"""Simulating a parameter set in the background, some communities at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.population_runs import RunOrder, run_population
from app.db.repositories import population
from app.db.repositories.policy import active_sets, read_book, read_rows
from app.db.repositories.policy_runs import RunningCaseRepository, SimulationRepository
from app.domain.access import Actor, AreaScope
from app.domain.eligibility import NoPolicyInForce, ParameterBook, content_hash, in_force
from app.domain.eligibility.answering_setwise import answer_all
from app.domain.eligibility.arithmetic_setwise import NotSetWise
from app.domain.eligibility.engine_setwise import SETWISE_PROGRAMMES
from app.domain.policy.model import PolicySet, Simulation
from app.domain.policy.registered import not_computed, registered_summary
from app.domain.policy.simulating import SimulationRequest, require_unchanged
from app.domain.policy.simulation import compare_all, summarise
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.jobs.trail import record_outcome
from app.runtime import Runtime

KIND = "policy_simulation"
CASES_AT_ONCE = 2_000
"""Entitlements of one chunk: a second or two in one transaction, and enough for a policy to be worth compiling."""


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
        communities = await cases.list_communities(scope, request.area_code, request.programmes)
        return await enqueue(
            scope,
            self._session,
            kind=KIND,
            arguments={"before": sorted(map(str, before.values())), "after": sorted(map(str, after.values()))},
            chunks=[*({"area_codes": codes} for codes in packed(communities)), {"area_codes": [], "registered": True}],
            requested_by=actor.id,
            now=now,
            subject_id=simulation_id,
        )


def packed(communities: Iterable[tuple[str, int]]) -> list[list[str]]:
    """Communities in order, together until they have so many cases."""
    chunks: list[list[str]] = []
    room = 0
    for code, count in communities:
        if not chunks or count > room:
            chunks.append([])
            room = CASES_AT_ONCE
        chunks[-1].append(code)
        room -= count
    return chunks


class SimulationHandler:
    """Replays the running entitlements of some communities under both books."""

    async def run_chunk(
        self,
        runtime: Runtime,  # noqa: ARG002  (the signature of every handler)
        session: AsyncSession,
        job: JobView,
        chunk: ChunkView,
        *,
        now: datetime,
    ) -> dict[str, Any] | None:
        simulations = SimulationRepository(session)
        simulation = await simulations.get(job.scope, job.subject)
        require_unchanged(simulation, content_hash(await read_rows(session, simulation.set_id)))
        before, after = [await read_book(session, [UUID(one) for one in job.arguments[side]]) for side in ("before", "after")]
        if chunk.arguments.get("registered"):
            return {"registered": await registered_population(session, job, simulation, before, after, now)}
        areas = chunk.arguments["area_codes"]
        cases = await RunningCaseRepository(session).list_cases_of(job.scope, areas, simulation.programmes)
        differing, tallies = await asyncio.to_thread(compare_all, cases, before, after, simulation.on, answer_all)
        await simulations.add_differences(job.scope, simulation.id, differing)
        return {"tallies": tallies}

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
        counted = await simulations.counted(job.scope, job.id)
        summary = summarise(counted.tallies) | {"registered": counted.registered}
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


# --- everybody who is registered ------------------------------------------------------------------------------------------------


async def registered_population(
    session: AsyncSession, job: JobView, simulation: Simulation, before: ParameterBook, after: ParameterBook, now: datetime
) -> dict[str, Any]:
    """Both books over the registered population, set-wise; what can't be computed so is said, and stops nothing else."""
    area, on = simulation.area_code, simulation.on
    asked = [code for code in SETWISE_PROGRAMMES if code in simulation.programmes or not simulation.programmes]
    programmes = tuple(code for code in asked if all(in_force(book, area, on, code) for book in (before, after)))
    if not programmes:
        return not_computed("所选项目没有可批量测算的现行参数。")
    order = RunOrder(area, after, on, programmes, simulation.requested.by, baseline=before)
    try:
        async with session.begin_nested():
            run_id = await run_population(job.scope, session, order, now=now)
    except (NotSetWise, NoPolicyInForce) as refused:
        return not_computed(refused.detail)
    run = await population.get_run(job.scope, session, run_id)
    return registered_summary(run_id, run.households, run.members, await population.sum_differences(job.scope, session, run_id))


register_handler(KIND, SimulationHandler())
