"""Simulations: putting them on record, what differs, and the running entitlements they replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.casework import Assessment, Decision, Entitlement
from app.db.tables.jobs import Job, JobChunk
from app.db.tables.policy_runs import Simulation as SimulationTable
from app.db.tables.policy_runs import SimulationDifference
from app.domain.access import AreaScope, Signature
from app.domain.casework.frozen import value_of
from app.domain.eligibility import AssessmentQuestion
from app.domain.errors import NotFound
from app.domain.policy.model import Document, Progress, Simulation, Verdict
from app.domain.policy.simulation import RunningCase, Tally
from app.ids import new_id

SIMULATION, DIFFERENCE = columns(SimulationTable), columns(SimulationDifference)
ENTITLEMENT, DECISION, ASSESSMENT = columns(Entitlement), columns(Decision), columns(Assessment)
JOB, CHUNK = columns(Job), columns(JobChunk)


@dataclass(frozen=True, slots=True)
class Counted:
    """The results of a simulation's chunks: tallies by community and programme; the summary of the registered population."""

    tallies: list[tuple[str, dict[str, Tally]]]
    registered: Document


class SimulationRepository:
    """The simulations of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, scope: AreaScope, simulation: Simulation) -> None:
        values = {
            "district": scope.district,
            "id": simulation.id,
            "area_code": simulation.area_code,
            "set_id": simulation.set_id,
            "set_hash": simulation.set_hash,
            "base_set_id": simulation.base_set_id,
            "on_date": simulation.on,
            "programmes": list(simulation.programmes),
            "job_id": simulation.job_id,
            "requested_by": simulation.requested.by,
            "requested_by_name": simulation.requested.name,
            "requested_at": simulation.requested.at,
        }
        await self._session.execute(sa.insert(SimulationTable).values(**values))

    async def get(self, scope: AreaScope, simulation_id: UUID) -> Simulation:
        statement = sa.select(SimulationTable).where(*_visible(scope), SIMULATION.id == simulation_id)
        found = await self._session.execute(statement, execution_options={"populate_existing": True})
        row = found.scalar_one_or_none()
        if row is None:
            raise NotFound("simulation_not_found", "没有该测算，或不在您的辖区内，请核对编号。")
        return _simulation_of(row)

    async def list_page(self, scope: AreaScope, *, before: UUID | None, limit: int) -> list[Simulation]:
        """Newest first."""
        statement = sa.select(SimulationTable).where(*_visible(scope))
        if before is not None:
            statement = statement.where(SIMULATION.id < before)
        rows = (await self._session.execute(statement.order_by(SIMULATION.id.desc()).limit(limit))).scalars()
        return [_simulation_of(row) for row in rows]

    async def count(self, scope: AreaScope) -> int:
        statement = sa.select(sa.func.count()).select_from(SimulationTable).where(*_visible(scope))
        return int((await self._session.execute(statement)).scalar_one())

    async def progress(self, scope: AreaScope, job_id: UUID) -> Progress:
        """Counted in areas, of which a chunk may have several."""
        areas = sa.func.coalesce(sa.func.jsonb_array_length(CHUNK.arguments["area_codes"]), 1)
        counted = sa.select(
            sa.func.coalesce(sa.func.sum(areas).filter(CHUNK.status == "done"), 0),
            sa.func.coalesce(sa.func.sum(areas), 0),
        ).where(CHUNK.district == scope.district, CHUNK.job_id == job_id)
        done, total = (await self._session.execute(counted)).one()
        statement = sa.select(JOB.status, JOB.problem).where(JOB.district == scope.district, JOB.id == job_id)
        status, problem = (await self._session.execute(statement)).one()
        return Progress(status, int(done), int(total), problem)

    async def finish(self, scope: AreaScope, simulation_id: UUID, summary: Document, now: datetime) -> None:
        changed = sa.update(SimulationTable).where(SIMULATION.district == scope.district, SIMULATION.id == simulation_id)
        await self._session.execute(changed.values(summary=summary, finished_at=now))

    async def counted(self, scope: AreaScope, job_id: UUID) -> Counted:
        """What the chunks have counted: in each community, and in the registered population."""
        statement = sa.select(CHUNK.result).where(CHUNK.district == scope.district, CHUNK.job_id == job_id).order_by(CHUNK.number)
        results = (await self._session.execute(statement)).scalars()
        tallies: list[tuple[str, dict[str, Tally]]] = []
        registered: Document = {}
        for result in results:
            tallies += sorted((result or {}).get("tallies", {}).items())
            registered |= (result or {}).get("registered", {})
        return Counted(tallies, registered)

    # --- what differs -----------------------------------------------------------------------------------------------

    async def add_differences(self, scope: AreaScope, simulation_id: UUID, verdicts: Iterable[Verdict]) -> None:
        common = {"district": scope.district, "simulation_id": simulation_id}
        rows = [common | asdict(verdict) | {"id": new_id()} for verdict in verdicts]
        if rows:
            await self._session.execute(sa.insert(SimulationDifference), rows)

    async def list_differences(
        self, scope: AreaScope, simulation_id: UUID, *, programme: str | None, after: UUID | None, limit: int | None
    ) -> list[Verdict]:
        """By entitlement; ``limit`` None: all."""
        statement = sa.select(SimulationDifference).where(*_differing(scope, simulation_id, programme))
        if after is not None:
            statement = statement.where(DIFFERENCE.entitlement_id > after)
        rows = (await self._session.execute(statement.order_by(DIFFERENCE.entitlement_id).limit(limit))).scalars()
        return [_verdict_of(row) for row in rows]

    async def count_differences(self, scope: AreaScope, simulation_id: UUID, *, programme: str | None) -> int:
        conditions = _differing(scope, simulation_id, programme)
        statement = sa.select(sa.func.count()).select_from(SimulationDifference).where(*conditions)
        return int((await self._session.execute(statement)).scalar_one())


def _visible(scope: AreaScope) -> list[sa.ColumnElement[bool]]:
    return [SIMULATION.district == scope.district, within(SIMULATION.area_code, scope)]


def _differing(scope: AreaScope, simulation_id: UUID, programme: str | None) -> list[sa.ColumnElement[bool]]:
    conditions = [
        DIFFERENCE.district == scope.district,
        DIFFERENCE.simulation_id == simulation_id,
        within(DIFFERENCE.area_code, scope),
    ]
    return conditions if programme is None else [*conditions, DIFFERENCE.programme == programme]


def _simulation_of(row: SimulationTable) -> Simulation:
    return Simulation(
        id=row.id,
        area_code=row.area_code,
        set_id=row.set_id,
        set_hash=row.set_hash,
        base_set_id=row.base_set_id,
        on=row.on_date,
        programmes=tuple(row.programmes),
        job_id=row.job_id,
        requested=Signature(row.requested_by, row.requested_by_name, row.requested_at),
        summary=row.summary,
        finished_at=row.finished_at,
    )


def _verdict_of(row: SimulationDifference) -> Verdict:
    return Verdict(
        entitlement_id=row.entitlement_id,
        household_id=row.household_id,
        area_code=row.area_code,
        programme=row.programme,
        before_outcome=row.before_outcome,
        after_outcome=row.after_outcome,
        before_fen=row.before_fen,
        after_fen=row.after_fen,
    )


class RunningCaseRepository:
    """The running entitlements with the question that their latest decision answered."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_communities(self, scope: AreaScope, area_code: str, programmes: Sequence[str]) -> list[tuple[str, int]]:
        """Those with running entitlements, in order, and how many they have."""
        statement = (
            sa.select(ENTITLEMENT.area_code, sa.func.count())
            .where(*_running(scope, area_code, programmes))
            .group_by(ENTITLEMENT.area_code)
            .order_by(ENTITLEMENT.area_code)
        )
        return [(code, count) for code, count in await self._session.execute(statement)]

    async def list_cases(self, scope: AreaScope, area_code: str, programmes: Sequence[str]) -> list[RunningCase]:
        """Of an area and everything below it, by entitlement; ``programmes`` empty: of all."""
        return await self._cases(_running(scope, area_code, programmes))

    async def list_cases_of(self, scope: AreaScope, area_codes: Sequence[str], programmes: Sequence[str]) -> list[RunningCase]:
        """Of some communities."""
        chosen = _running(scope, scope.prefix, programmes)
        return await self._cases([*chosen, ENTITLEMENT.area_code.in_(list(area_codes))])

    async def _cases(self, conditions: Sequence[sa.ColumnElement[bool]]) -> list[RunningCase]:
        statement = (
            sa.select(
                ENTITLEMENT.id,
                ENTITLEMENT.household_id,
                ENTITLEMENT.person_id,
                ENTITLEMENT.area_code,
                ENTITLEMENT.programme,
                ENTITLEMENT.since_month,
                ENTITLEMENT.until_month,
                ASSESSMENT.inputs,
            )
            .join_from(Entitlement, Decision, _same(DECISION.id, ENTITLEMENT.decision_id, DECISION.district), isouter=True)
            .outerjoin(Assessment, _same(ASSESSMENT.id, DECISION.assessment_id, ASSESSMENT.district))
            .where(*conditions)
            .order_by(ENTITLEMENT.id)
        )
        return [_case_of(row) for row in (await self._session.execute(statement)).mappings()]


def _running(scope: AreaScope, area_code: str, programmes: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    conditions = [
        ENTITLEMENT.district == scope.district,
        within(ENTITLEMENT.area_code, scope),
        within(ENTITLEMENT.area_code, AreaScope(scope.district, area_code)),
        ENTITLEMENT.state != "ended",
    ]
    return [*conditions, ENTITLEMENT.programme.in_(list(programmes))] if programmes else conditions


def _same(left: sa.Column[Any], right: sa.Column[Any], district: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(district == ENTITLEMENT.district, left == right)


def _case_of(row: sa.RowMapping) -> RunningCase:
    known = dict(row)
    inputs = known.pop("inputs")
    question = None if inputs is None else value_of(AssessmentQuestion, inputs)
    return RunningCase(entitlement_id=known.pop("id"), question=question, **known)
