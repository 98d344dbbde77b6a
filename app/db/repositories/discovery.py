"""Discovery runs and the work list of findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.repositories.entitlements import within
from app.db.tables.discovery import DiscoveryFinding
from app.db.tables.discovery import DiscoveryRun as RunTable
from app.db.tables.jobs import JobChunk
from app.domain.access import AreaScope, Signature
from app.domain.errors import NotFound
from app.domain.policy.discovery import DiscoveryRun, Finding, FindingKind, FindingState, StoredFinding
from app.domain.policy.model import Document
from app.ids import new_id

RUN, FINDING, CHUNK = columns(RunTable), columns(DiscoveryFinding), columns(JobChunk)


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """What the list is narrowed to; ``area_code`` includes everything below it."""

    state: FindingState | None = FindingState.OPEN
    kind: FindingKind | None = None
    programme: str | None = None
    area_code: str | None = None
    household_id: UUID | None = None


class DiscoveryRepository:
    """Runs and findings in one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    # --- runs -------------------------------------------------------------------------------------------------------

    async def add_run(self, scope: AreaScope, run: DiscoveryRun) -> None:
        values = {
            "district": scope.district,
            "id": run.id,
            "area_code": run.area_code,
            "on_date": run.on,
            "job_id": run.job_id,
            "requested_by": run.requested.by,
            "requested_by_name": run.requested.name,
            "requested_at": run.requested.at,
        }
        await self._session.execute(sa.insert(RunTable).values(**values))

    async def get_run(self, scope: AreaScope, run_id: UUID) -> DiscoveryRun:
        statement = sa.select(RunTable).where(RUN.district == scope.district, within(RUN.area_code, scope), RUN.id == run_id)
        found = await self._session.execute(statement, execution_options={"populate_existing": True})
        row = found.scalar_one_or_none()
        if row is None:
            raise NotFound("discovery_run_not_found", "没有该次排查，或不在您的辖区内，请核对编号。")
        requested = Signature(row.requested_by, row.requested_by_name, row.requested_at)
        return DiscoveryRun(row.id, row.area_code, row.on_date, row.job_id, requested, row.counts, row.finished_at)

    async def finish_run(self, scope: AreaScope, run_id: UUID, counts: Document, now: datetime) -> None:
        changed = sa.update(RunTable).where(RUN.district == scope.district, RUN.id == run_id)
        await self._session.execute(changed.values(counts=counts, finished_at=now))

    async def chunk_counts(self, scope: AreaScope, job_id: UUID) -> list[dict[str, int]]:
        statement = sa.select(CHUNK.result).where(CHUNK.district == scope.district, CHUNK.job_id == job_id)
        return [result or {} for result in (await self._session.execute(statement)).scalars()]

    # --- findings ---------------------------------------------------------------------------------------------------

    async def record(self, scope: AreaScope, run: DiscoveryRun, area_code: str, found: Sequence[Finding], now: datetime) -> None:
        """Puts on the list what isn't there yet, and takes off what no longer holds in the area, whatever was made of it."""
        rows = [_row(scope, run, finding) for finding in found]
        if rows:
            await self._session.execute(insert(DiscoveryFinding).on_conflict_do_nothing(), rows)
        gone = await self._gone(scope, area_code, found)
        changed = sa.update(DiscoveryFinding).where(
            FINDING.district == scope.district, FINDING.id == sa.any_(sa.literal(gone, ARRAY(sa.Uuid())))
        )
        await self._session.execute(
            changed.values(state=FindingState.RESOLVED.value, settled_at=now, version=FINDING.version + 1)
        )

    async def _gone(self, scope: AreaScope, area_code: str, found: Iterable[Finding]) -> list[UUID]:
        """What stands on the area's lists and has not been found again."""
        keys = {(one.person_id, one.household_id, one.kind.value, one.programme) for one in found}
        listed = sa.select(FINDING.id, FINDING.person_id, FINDING.household_id, FINDING.kind, FINDING.programme).where(
            FINDING.district == scope.district,
            within(FINDING.area_code, scope),
            within(FINDING.area_code, AreaScope(scope.district, area_code)),
            FINDING.state != FindingState.RESOLVED.value,
        )
        return [finding_id for finding_id, *key in await self._session.execute(listed) if tuple(key) not in keys]

    async def list_findings(
        self, scope: AreaScope, chosen: FindingFilter, *, after: UUID | None, limit: int
    ) -> list[StoredFinding]:
        statement = sa.select(DiscoveryFinding).where(*_chosen(scope, chosen))
        if after is not None:
            statement = statement.where(FINDING.id > after)
        rows = (await self._session.execute(statement.order_by(FINDING.id).limit(limit))).scalars()
        return [_finding_of(row) for row in rows]

    async def count_findings(self, scope: AreaScope, chosen: FindingFilter) -> int:
        statement = sa.select(sa.func.count()).select_from(DiscoveryFinding).where(*_chosen(scope, chosen))
        return int((await self._session.execute(statement)).scalar_one())

    async def get_finding(self, scope: AreaScope, finding_id: UUID, *, lock: bool = False) -> StoredFinding:
        conditions = _chosen(scope, FindingFilter(state=None))
        statement = sa.select(DiscoveryFinding).where(*conditions, FINDING.id == finding_id)
        statement = statement.with_for_update() if lock else statement
        found = await self._session.execute(statement, execution_options={"populate_existing": True})
        row = found.scalar_one_or_none()
        if row is None:
            raise NotFound("finding_not_found", "没有该线索，或不在您的辖区内，请核对编号。")
        return _finding_of(row)

    async def settle(
        self, scope: AreaScope, finding_id: UUID, state: FindingState, signature: Signature, note: str | None
    ) -> StoredFinding:
        changed = sa.update(DiscoveryFinding).where(FINDING.district == scope.district, FINDING.id == finding_id)
        signed = {"settled_by": signature.by, "settled_by_name": signature.name, "settled_at": signature.at}
        await self._session.execute(changed.values(state=state.value, note=note, version=FINDING.version + 1, **signed))
        return await self.get_finding(scope, finding_id)


def _chosen(scope: AreaScope, chosen: FindingFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [FINDING.district == scope.district, within(FINDING.area_code, scope)]
    if chosen.area_code is not None:
        conditions.append(within(FINDING.area_code, AreaScope(scope.district, chosen.area_code)))
    exact = {
        "state": chosen.state and chosen.state.value,
        "kind": chosen.kind and chosen.kind.value,
        "programme": chosen.programme,
        "household_id": chosen.household_id,
    }
    return conditions + [FINDING[name] == wanted for name, wanted in exact.items() if wanted is not None]


def _row(scope: AreaScope, run: DiscoveryRun, finding: Finding) -> dict[str, Any]:
    return {
        "district": scope.district,
        "id": new_id(),
        "area_code": finding.area_code,
        "run_id": run.id,
        "household_id": finding.household_id,
        "person_id": finding.person_id,
        "kind": finding.kind.value,
        "programme": finding.programme,
        "expected_fen": finding.expected_fen,
        "reasons": _documents(finding),
        "found_on": run.on,
        "state": FindingState.OPEN.value,
        "version": 1,
    }


def _documents(finding: Finding) -> list[dict[str, Any]]:
    return [asdict(reason) for reason in finding.reasons]


def _finding_of(row: DiscoveryFinding) -> StoredFinding:
    settled = None
    if row.settled_by is not None and row.settled_at is not None:
        settled = Signature(row.settled_by, row.settled_by_name or "", row.settled_at)
    finding = Finding(
        row.household_id, row.area_code, row.person_id, FindingKind(row.kind), row.programme, expected_fen=row.expected_fen
    )
    return StoredFinding(
        id=row.id,
        run_id=row.run_id,
        finding=finding,
        reasons=row.reasons,
        found_on=row.found_on,
        state=FindingState(row.state),
        settled=settled,
        note=row.note,
        version=row.version,
    )


def added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total
