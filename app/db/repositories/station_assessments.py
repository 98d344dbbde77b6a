"""Assessments of stations as they were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.base import columns
from app.db.scoping import within
from app.db.tables.station_files import StationAssessment
from app.domain.access import AreaScope
from app.domain.errors import NotFound
from app.domain.stations.self_assessment import Claim, StoredAssessment

KEPT = columns(StationAssessment)


async def add_assessment(scope: AreaScope, session: AsyncSession, kept: StoredAssessment, *, by: UUID) -> None:
    """Kept once, never changed."""
    values = {name: value for name, value in asdict(kept).items() if name != "claims"}
    claims = [asdict(claim) for claim in kept.claims]
    await session.execute(insert(StationAssessment).values(district=scope.district, claims=claims, assessed_by=by, **values))


async def get_assessment(scope: AreaScope, session: AsyncSession, station_id: UUID, assessment_id: UUID) -> StoredAssessment:
    """``NotFound`` station_assessment_not_found."""
    found = await _kept(scope, session, [KEPT.station_id == station_id, KEPT.id == assessment_id], 1)
    if not found:
        raise NotFound("station_assessment_not_found", "该工作站没有这次评估，请先读取评估列表。")
    return found[0]


async def list_assessments(
    scope: AreaScope, session: AsyncSession, station_id: UUID, *, standard: str | None, after: UUID | None, limit: int
) -> Sequence[StoredAssessment]:
    """A page by id, in the order in which they were made."""
    conditions = _of(station_id, standard)
    if after is not None:
        conditions.append(KEPT.id > after)
    return await _kept(scope, session, conditions, limit)


async def count_assessments(scope: AreaScope, session: AsyncSession, station_id: UUID, standard: str | None) -> int:
    statement = select(func.count()).select_from(StationAssessment).where(within(scope, KEPT), *_of(station_id, standard))
    return (await session.execute(statement)).scalar_one()


def _of(station_id: UUID, standard: str | None) -> list[ColumnElement[bool]]:
    return [KEPT.station_id == station_id, *([] if standard is None else [KEPT.standard == standard])]


async def _kept(
    scope: AreaScope, session: AsyncSession, conditions: Sequence[ColumnElement[bool]], limit: int
) -> list[StoredAssessment]:
    statement = select(*KEPT).where(within(scope, KEPT), *conditions).order_by(KEPT.id).limit(limit)
    return [_record(row) for row in await session.execute(statement)]


def _record(row: Row[Any]) -> StoredAssessment:
    return StoredAssessment(
        id=row.id,
        station_id=row.station_id,
        area_code=row.area_code,
        standard=row.standard,
        standard_version=row.standard_version,
        as_of=row.as_of,
        grade=row.grade,
        facts=row.facts,
        answer=row.answer,
        claims=tuple(Claim(**claim) for claim in row.claims),
        assessed_by_name=row.assessed_by_name,
        assessed_at=row.assessed_at,
    )
